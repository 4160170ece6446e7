import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { invert, type PlanarImage } from '../pictures/planar-image.js';
import { findInk, stretchContrast } from '../pixels/ink.js';
import { resizeImage } from '../pixels/resize.js';
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

describe('findDrawing of what is soft', () => {
  /** Side of a drawing before it is blown up; its edges are then soft over an eighth of it. */
  const SMALL = 8;
  /** A seven, a two and an eight of 8x8 pixels, rows from the top. */
  const DIGITS = [
    [0, 0, 0x7e, 0x06, 0x0c, 0x18, 0x18, 0],
    [0, 0x3c, 0x66, 0x0c, 0x18, 0x30, 0x7e, 0],
    [0, 0x3c, 0x24, 0x3c, 0x24, 0x24, 0x3c, 0],
  ] as const;

  /** 8x8 pixels blown up by a whole number, softly, in the middle of a sheet twice as large, in light that falls. */
  function blowUp(rows: readonly number[], factor: number, ink: number, right: number, down: number): PlanarImage {
    const side = factor * SMALL;
    const dots = Uint8Array.from(
      { length: SMALL * SMALL },
      (_, at) => (((rows[at >> 3] ?? 0) >> (7 - (at & 7))) & 1) * 255,
    );
    const large = resizeImage({ channels: 1, height: SMALL, width: SMALL, pixels: dots }, side, side).pixels;
    const pixels = Uint8Array.from({ length: 4 * side * side }, (_, at) => {
      const [x, y] = [at % (2 * side), Math.floor(at / (2 * side))];
      const [u, v] = [x - (side >> 1), y - (side >> 1)];
      const isOn = u >= 0 && v >= 0 && u < side && v < side;
      const light = PAPER - Math.floor((right * x + down * y) / (2 * side));
      return Math.floor((light * (255 - (isOn ? Math.floor((ink * large[v * side + u]!) / 256) : 0))) / 255);
    });
    return { channels: 1, height: 2 * side, width: 2 * side, pixels };
  }

  it('cases: data 29: finds soft strokes blown up by any factor, whatever light falls', () => {
    const level = fc.integer({ min: 0, max: 60 });
    const ink = fc.integer({ min: 170, max: 240 });
    fc.assert(
      fc.property(
        fc.constantFrom(...DIGITS),
        fc.integer({ min: 8, max: 26 }),
        ink,
        level,
        level,
        (rows, factor, ...light) => {
          const box = findInk(findDrawing(blowUp(rows, factor, ...light))?.image as PlanarImage);
          // the ink's rows and columns, on the half of the sheet that the digit takes, as it is looked at: at most 400 pixels a side
          const scale = Math.min(1, 400 / (2 * SMALL * factor)) * factor;
          const drawn = rows.flatMap((row, y) => (row === 0 ? [] : [y]));
          expect(Math.abs((box?.top ?? 0) / scale - (drawn[0]! + SMALL / 2))).toBeLessThanOrEqual(1);
          expect(Math.abs((box?.bottom ?? 0) / scale - (drawn.at(-1)! + 1 + SMALL / 2))).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('cases: data 29: finds nothing in soft spots of shadow, round or longish, wherever they lie', () => {
    const place = fc.integer({ min: 80, max: 120 });
    const share = (min: number, max: number) => fc.integer({ min, max });
    fc.assert(
      fc.property(place, place, share(30, 60), share(100, 200), share(10, 60), (x, y, radius, longer, depth) => {
        const shade: Level = (u, v) => {
          const away = ((u - x) * 100) / longer;
          const lit = Math.min(radius ** 2, away ** 2 + (v - y) ** 2) / radius ** 2;
          return Math.floor(falling(50, 40)(u, v) * (1 - (depth / 100) * (1 - lit)));
        };
        expect(findDrawing(draw(shade, nothing))).toBeUndefined();
      }),
      { numRuns: 25 },
    );
  });

  it('cases: data 29: finds nothing on a sheet whose corners are dark', () => {
    for (const depth of [30, 60, 90]) {
      const vignette: Level = (x, y) =>
        Math.floor(PAPER * (1 - (depth * ((x - 100) ** 2 + (y - 100) ** 2)) / (100 * 20_000)));
      expect(findDrawing(draw(vignette, nothing)), `${depth} %`).toBeUndefined();
    }
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
