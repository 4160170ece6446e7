/** The exported page in a real browser: draw, read the result. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Dataset } from '@lockstep/core/data';
import { exportHtml } from '@lockstep/core/exports';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { browserPath, isBrowserRequired, launchBrowser, lookedFor, whyNoBrowser } from '../support/browser.ts';
import { computeReference, loadDigits, type Trained, trainDigits } from '../support/export-fixture.ts';

/** Images that the page is given at once: a message to the browser has its limits. */
const CHUNK = 1000;
/** All of them in html-page.slow.test.ts. */
const FEW_IMAGES = 500;
const isSlow = process.env['LOCKSTEP_SLOW'] === '1';

it('finds a browser where LOCKSTEP_REQUIRE_BROWSER=1 asks for one', () => {
  expect(browserPath === undefined && isBrowserRequired, lookedFor).toBe(false);
});

describe.skipIf(browserPath === undefined)(`the exported page in Chromium${whyNoBrowser}`, () => {
  let folder: string;
  let browser: Browser;
  let page: Page;
  let dataset: Dataset;
  let trained: Trained;
  let requests: string[];
  let errors: string[];

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'lockstep-page-'));
    dataset = await loadDigits();
    trained = await trainDigits('lenet5', dataset, 900);
    writeFileSync(path.join(folder, 'draw.html'), exportHtml(trained.model, trained.state, trained.notes));
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  beforeEach(async () => {
    page = await openPage();
  });
  afterEach(async () => {
    expect(errors).toEqual([]);
    expect(requests).toEqual([pageUrl()]);
    await page.context().close();
  });

  const pageUrl = (): string => pathToFileURL(path.join(folder, 'draw.html')).href;

  async function openPage(options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 900, height: 700 }, ...options });
    const opened = await context.newPage();
    requests = [];
    errors = [];
    opened.on('request', (request) => requests.push(request.url()));
    opened.on('pageerror', (error) => errors.push(error.message));
    opened.on('console', (message) => (message.type() === 'error' ? errors.push(message.text()) : undefined));
    await opened.goto(pageUrl());
    return opened;
  }

  const answer = (): Promise<string | null> => page.locator('#answer').textContent();

  /** Draws a line through points given as shares of the drawing's sides. */
  async function draw(points: readonly (readonly [number, number])[]): Promise<void> {
    const box = await page.locator('#drawing').boundingBox();
    if (box === null) throw new Error('the drawing is not on the page');
    const [first, ...rest] = points.map(([x, y]) => [box.x + x * box.width, box.y + y * box.height] as const);
    await page.mouse.move(...(first as [number, number]));
    await page.mouse.down();
    for (const [x, y] of rest) await page.mouse.move(x, y, { steps: 4 });
    await page.mouse.up();
    await nextFrame();
  }

  /** The page recognizes once a frame. */
  const nextFrame = (): Promise<void> =>
    page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');

  const circle = Array.from({ length: 33 }, (_, k) => {
    const angle = (2 * Math.PI * k) / 32 - Math.PI / 2;
    return [0.5 + 0.2 * Math.cos(angle), 0.5 + 0.3 * Math.sin(angle)] as const;
  });

  it('starts with nothing drawn', async () => {
    expect(await answer()).toBe('–');
    expect(await page.locator('#sureness').textContent()).toBe('Nothing is drawn yet');
    expect(await page.locator('h1').textContent()).toBe('Draw a digit from 0 to 9');
  });

  it.each([
    ['0', [circle]],
    [
      '1',
      [
        [
          [0.52, 0.2],
          [0.5, 0.8],
        ],
      ],
    ],
    [
      '7',
      [
        [
          [0.3, 0.25],
          [0.7, 0.25],
          [0.45, 0.8],
        ],
      ],
    ],
    [
      '4',
      [
        [
          [0.35, 0.2],
          [0.3, 0.5],
          [0.68, 0.5],
        ],
        [
          [0.65, 0.2],
          [0.62, 0.85],
        ],
      ],
    ],
  ] as const)('recognizes a drawn %s, wherever and however large it is', async (digit, strokes) => {
    for (const stroke of strokes) await draw(stroke);
    expect(await answer()).toBe(digit);
    expect(await page.locator('li').count()).toBe(10);
    expect(await page.locator('li.best .name').textContent()).toBe(digit);
    await page.getByRole('button', { name: 'Clear' }).click();
    await nextFrame();
    expect(await answer()).toBe('–');
    for (const stroke of strokes) await draw(stroke.map(([x, y]) => [0.55 * x, 0.4 + 0.55 * y] as const));
    expect(await answer()).toBe(digit);
  });

  it('can be drawn on with keys alone', async () => {
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.id')).toBe('drawing');
    for (let i = 0; i < 10; i++) await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Space');
    for (let i = 0; i < 20; i++) await page.keyboard.press('ArrowDown');
    await nextFrame();
    expect(await answer()).toBe('1');
    await page.keyboard.press('Escape');
    await nextFrame();
    expect(await answer()).toBe('–');
  });

  it('can be drawn on with a finger, without scrolling', async () => {
    await page.context().close();
    page = await openPage({ hasTouch: true, isMobile: true, viewport: { width: 390, height: 700 } });
    const box = await page.locator('#drawing').boundingBox();
    if (box === null) throw new Error('the drawing is not on the page');
    const session = await page.context().newCDPSession(page);
    const touch = (type: string, points: { x: number; y: number }[]) =>
      session.send('Input.dispatchTouchEvent', { type: type as 'touchStart', touchPoints: points });
    const x = box.x + box.width / 2;
    await touch('touchStart', [{ x, y: box.y + 0.2 * box.height }]);
    for (let k = 1; k <= 12; k++) await touch('touchMove', [{ x, y: box.y + (0.2 + 0.05 * k) * box.height }]);
    await touch('touchEnd', []);
    await nextFrame();
    expect(await answer()).toBe('1');
    expect(await page.evaluate('[scrollY, document.documentElement.scrollWidth <= innerWidth]')).toEqual([0, true]);
  });

  it('follows the colours of the system, and recognizes in the dark', async () => {
    const ground = (): Promise<unknown> => page.evaluate('getComputedStyle(document.body).backgroundColor');
    await page.emulateMedia({ colorScheme: 'light' });
    const light = await ground();
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await ground()).not.toBe(light);
    await draw(circle);
    expect(await answer()).toBe('0');
  });

  it(`gives the predictions of the kernels on ${isSlow ? 'every test image' : `the first ${FEW_IMAGES} test images`}`, async () => {
    const count = isSlow ? dataset.test.count : Math.min(FEW_IMAGES, dataset.test.count);
    const { predicted } = await computeReference(trained, dataset, count);
    const found: number[] = [];
    for (let from = 0; from < count; from += CHUNK) {
      const images = dataset.test.images.subarray(from * 784, Math.min(count, from + CHUNK) * 784);
      found.push(...((await page.evaluate(predictAll, Buffer.from(images).toString('base64'))) as number[]));
    }
    expect(found).toEqual(predicted);
  });
});

/** Runs in the page. */
function predictAll(base64: string): number[] {
  const { lockstep } = globalThis as unknown as { lockstep: { predict(pixels: Uint8Array): number[] } };
  const pixels = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return Array.from({ length: pixels.length / 784 }, (_, index) => {
    const probabilities = lockstep.predict(pixels.subarray(index * 784, (index + 1) * 784));
    return probabilities.indexOf(Math.max(...probabilities));
  });
}
