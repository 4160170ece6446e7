import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { invert, type PlanarImage } from '../pictures/planar-image.js';
import { findInk, stretchContrast } from '../pixels/ink.js';
import { findDrawing } from './find-drawing.js';

type Level = (x: number, y: number) => number;

const SIDE = 200;
const PAPER = 235;
const INK = 50;
/** A seven: its box, and the levels of a picture with it. */
const BOX = { top: 60, bottom: 140, left: 70, right: 120 };
const isSeven: (x: number, y: number) => boolean = (x, y) =>
  y >= BOX.top && y < BOX.bottom && x >= BOX.left && x < BOX.right && (y < BOX.top + 10 || x >= BOX.right - 10);

/** A picture of 200 x 200 pixels; what is drawn is as dark as the light allows. */
function draw(sheet: Level, isInk = isSeven, height = SIDE, width = SIDE): PlanarImage {
  const pixels = Uint8Array.from({ length: height * width }, (_, at) => {
    const [x, y] = [at % width, Math.floor(at / width)];
    return isInk(x, y) ? Math.floor((INK * sheet(x, y)) / PAPER) : sheet(x, y);
  });
  return { channels: 1, height, width, pixels };
}

const nothing = (): boolean => false;
const falling =
  (right: number, down: number): Level =>
  (x, y) =>
    PAPER - Math.floor((right * x + down * y) / SIDE);
const shadow: Level = (x, y) => (3 * x + y < 340 ? 135 : PAPER);
const ruled =
  (line: number): Level =>
  (x, y) =>
    (y + Math.floor(x / 50)) % 20 < 2 ? line : PAPER;
const squared: Level = (x, y) => (x % 17 === 0 || y % 17 === 0 ? 150 : PAPER);
const framed: Level = (x, y) => (Math.min(x, y, SIDE - 1 - x, SIDE - 1 - y) < 9 ? 40 : PAPER);
const boxed: Level = (x, y) => (Math.min(x, y, SIDE - 1 - x, SIDE - 1 - y) === 20 ? 60 : PAPER);
const dark: Level = () => 105;
const spot: Level = (x, y) => PAPER - Math.max(0, 80 - Math.floor(((x - 100) ** 2 + (y - 100) ** 2) / 60));

const SHEETS: readonly (readonly [string, Level])[] = [
  ['light that falls by 90 levels', falling(90, 0)],
  ['light that falls to a corner', falling(70, 60)],
  ["a shadow's edge through the drawing", shadow],
  ['a soft spot of shadow', spot],
  ['faint lines', ruled(190)],
  ['lines as dark as the ink', ruled(60)],
  ['squares', squared],
  ['a dark frame along the edges', framed],
  ['a frame drawn around', boxed],
  ['little light', dark],
];

/** Ink that is lost or added at a drawing's outline, in pixels: its soft edge, and what makes thin strokes thicker. */
const OUTLINE = 4;

describe('findDrawing', () => {
  it.each(SHEETS)('cases: data 29: finds what is drawn on %s, and that alone', (_, sheet) => {
    const drawing = findDrawing(draw(sheet));
    const box = drawing && findInk(drawing.image);
    for (const side of ['top', 'bottom', 'left', 'right'] as const) {
      expect(Math.abs((box?.[side] ?? 0) - BOX[side]), side).toBeLessThanOrEqual(OUTLINE);
    }
    expect(drawing?.isInverted).toBe(true);
  });

  it.each(SHEETS)('cases: data 29: finds nothing on an empty sheet with %s', (_, sheet) => {
    expect(findDrawing(draw(sheet, nothing))).toBeUndefined();
  });

  it('finds chalk on a board', () => {
    const { pixels, ...form } = draw(falling(90, 0));
    const drawing = findDrawing({ ...form, pixels: pixels.map((value) => 255 - value) });
    expect(drawing).toMatchObject({ isInverted: false });
    expect(Math.abs((findInk(drawing?.image as PlanarImage)?.top ?? 0) - BOX.top)).toBeLessThanOrEqual(OUTLINE);
  });

  it('says what it left out', () => {
    const pencil: Level = (x, y) => (y >= 155 && y < 167 && x > 140 ? 60 : squared(x, y));
    expect(findDrawing(draw(pencil))?.changes).toEqual([
      'taken for a photo: light evened out',
      'lines of the paper left out',
      'what touches the edge left out',
    ]);
  });

  it('takes the larger of two drawings that are apart, and says so', () => {
    const isDot = (x: number, y: number): boolean => x >= 160 && x < 175 && y >= 160 && y < 190;
    const drawing = findDrawing(draw(falling(90, 0), (x, y) => isSeven(x, y) || isDot(x, y)));
    expect(findInk(drawing?.image as PlanarImage)?.right).toBeLessThanOrEqual(BOX.right + OUTLINE);
    expect(drawing?.changes).toContain('2 drawings found, the one with the most ink taken');
  });

  it('keeps the parts of one drawing together', () => {
    const isFive = (x: number, y: number): boolean => isSeven(x, y) && !(x >= 85 && x < 92 && y < 80);
    expect(findInk(findDrawing(draw(falling(90, 0), isFive))?.image as PlanarImage)?.left).toBeLessThanOrEqual(
      BOX.left + OUTLINE,
    );
  });

  it('gives the same drawing with any even light', () => {
    const share = fc.integer({ min: 0, max: 60 });
    fc.assert(
      fc.property(share, share, fc.integer({ min: 170, max: 250 }), (right, down, paper) => {
        const sheet: Level = (x, y) =>
          Math.floor((paper * (PAPER - Math.floor((right * x + down * y) / SIDE))) / PAPER);
        const box = findInk(findDrawing(draw(sheet))?.image as PlanarImage);
        expect(Math.abs((box?.top ?? 0) - BOX.top)).toBeLessThanOrEqual(OUTLINE);
        expect(Math.abs((box?.right ?? 0) - BOX.right)).toBeLessThanOrEqual(OUTLINE);
      }),
      { numRuns: 10 },
    );
  });
});

describe('findDrawing of a clean picture', () => {
  /** Every pixel, with the contrast stretched. */
  function expectWhole(image: PlanarImage): void {
    const found = findDrawing(image);
    expect(found).toMatchObject({ isInverted: true, changes: [] });
    expect(Buffer.compare(found?.image.pixels ?? Buffer.of(), stretchContrast(invert(image)).pixels)).toBe(0);
  }

  it('takes it whole, whatever is drawn, as long as it leaves the edges free', () => {
    const level = fc.integer({ min: 200, max: 255 });
    const stroke = fc.record({
      x: fc.integer({ min: 5, max: 80 }),
      y: fc.integer({ min: 5, max: 80 }),
      long: fc.integer({ min: 20, max: 80 }),
    });
    fc.assert(
      fc.property(level, fc.array(stroke, { minLength: 1, maxLength: 4 }), (paper, strokes) => {
        const isInk = (x: number, y: number): boolean =>
          strokes.some((one) => Math.abs(x - one.x) < 5 && y >= one.y && y < one.y + one.long);
        const image = draw(() => paper, isInk);
        expectWhole(image);
      }),
      { numRuns: 20 },
    );
  });

  it('takes one that was cut out along its ink', () => {
    const image = draw(
      () => PAPER,
      (x, y) => y < 8 || x >= 52,
      80,
      60,
    );
    expectWhole(image);
  });

  it('takes a small one as it is, and finds nothing where there is nothing', () => {
    const image = draw(
      () => PAPER,
      (x, y) => y > 10 && x >= 20,
      40,
      30,
    );
    expectWhole(image);
    expect(findDrawing(draw(() => PAPER, nothing, 40, 30))).toBeUndefined();
  });
});
