/** The tensorflow engine in real runs, and exports in a TensorFlow.js that knows nothing of Lockstep. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findIsa } from '../../packages/kernels/dist/index.js';
import { tensorFlowFolder } from '../../packages/worker/dist/tensorflow-engine/index.js';
import { describeTensorFlow } from '../../packages/worker/dist/tensorflow-engine/test-availability.js';
import { browserPath, whyNoBrowser } from '../support/browser.ts';
import { BIN, ExportFixture, farthest, LOGIT_TOLERANCE } from './tensorflow-export.ts';

let fixture: ExportFixture;

beforeAll(async () => {
  fixture = await ExportFixture.open();
});

afterAll(() => fixture.remove());

describeTensorFlow('the tensorflow engine', () => {
  it('gives the same bits with one worker and with two', () => {
    const run = (workers: number) =>
      fixture.lockstep(
        'train',
        'lenet5',
        '--engine',
        'tensorflow',
        '--workers',
        String(workers),
        '--steps',
        '12',
        '--no-save',
      );
    const one = run(1);
    expect(one).toMatchObject({ event: 'end', steps: 12, parametersSha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(run(2)['parametersSha256']).toBe(one['parametersSha256']);
  });

  it('is compared with the native kernels that are asked for', () => {
    const words = ['--engines', 'native', '--kernels', 'wasm', '--models', 'tiny6k', '--workers', '1'];
    const short = ['--seconds', '0.01', '--repetitions', '1', '--json'];
    const report = execFileSync(process.execPath, [BIN, 'bench', ...words, ...short], { encoding: 'utf8' });
    expect(JSON.parse(report)).toMatchObject({
      bench: 'engines',
      machine: { isa: findIsa('wasm', '') },
      models: [{ model: 'tiny6k', figures: [{ engine: 'native', workers: 1 }] }],
    });
  });

  it('is named in the start of a run, and by doctor', () => {
    const output = execFileSync(process.execPath, [BIN, 'doctor', '--json'], { encoding: 'utf8' });
    const { findings } = JSON.parse(output) as { findings: { name: string; verdict: string; text: string }[] };
    expect(findings.find(({ name }) => name === 'tensorflow engine')).toEqual({
      name: 'tensorflow engine',
      verdict: 'good',
      text: 'tfjs-node 4.22.0, libtensorflow 2.15.1',
    });
  });
});

describeTensorFlow('an export for TensorFlow.js', () => {
  // the others: tensorflow.slow.test.ts
  it.each(['tiny6k', 'lenet5'])(
    '%s: the same logits in tfjs-node and on the cpu backend, the same count of right test images',
    async (name) => {
      await fixture.check(name, 100);
    },
  );
});

const BROWSER_IMAGES = 32;
const SITE = 'http://lockstep.test/';

/** Runs in the page: what a web site does that has TensorFlow.js and the two files. */
async function predictInPage([url, pixels, count]: readonly [string, number[], number]): Promise<number[]> {
  // biome-ignore lint/suspicious/noExplicitAny: the library is a global of the page
  const { tf } = globalThis as any;
  await tf.setBackend('cpu');
  const model = await tf.loadLayersModel(`${url}model.json`);
  return Array.from(model.predict(tf.tensor4d(pixels, [count, 28, 28, 1])).dataSync());
}

describeTensorFlow('an export for TensorFlow.js in a browser', () => {
  it.skipIf(browserPath === undefined)(`gives the same logits${whyNoBrowser}`, async () => {
    const { weights, exported } = fixture.export('gap19k', 60);
    const library = path.join(tensorFlowFolder(), 'node_modules/@tensorflow/tfjs/dist/tf.min.js');
    const browser = await chromium.launch({ executablePath: browserPath as string, args: ['--no-sandbox'] });
    try {
      const page = await browser.newPage();
      await page.route('**/*', (route) => {
        const name = route.request().url().slice(SITE.length);
        if (name === '') return route.fulfill({ contentType: 'text/html', body: '<title>a page</title>' });
        return existsSync(path.join(exported, name))
          ? route.fulfill({ path: path.join(exported, name) })
          : route.abort();
      });
      await page.goto(SITE);
      await page.addScriptTag({ path: library });
      const pixels = [...fixture.dataset.test.images.subarray(0, BROWSER_IMAGES * 28 * 28)];
      const logits = await page.evaluate(predictInPage, [SITE, pixels, BROWSER_IMAGES] as const);
      const ours = await fixture.nativeLogits('gap19k', weights);
      expect(farthest(Float32Array.from(logits), ours.subarray(0, logits.length))).toBeLessThan(LOGIT_TOLERANCE);
    } finally {
      await browser.close();
    }
  });
});
