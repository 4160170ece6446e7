/** The live page in a real browser, over real runs: what it shows, its buttons, and that it asks for nothing elsewhere. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { train } from '../../packages/cli/dist/api/session.js';
import { createInputDrawer } from '../../packages/cli/dist/watching/input-sheet.js';
import type { RunEvent } from '../../packages/core/dist/events/index.js';
import { RunControl } from '../../packages/core/dist/seams/index.js';
import { Chronicler } from '../../packages/watch/dist/chronicle/index.js';
import { PageServer } from '../../packages/watch/dist/page/index.js';
import { cutSample } from '../../tools/golden-runs.mjs';
import { browserPath, isBrowserRequired, launchBrowser, lookedFor, whyNoBrowser } from '../support/browser.ts';
import { BIN, Fixture } from '../support/cluster-fixture.ts';
import type { Program } from '../support/program.ts';
import { runHere } from '../support/program-here.ts';
import { runSmall, SMALL_STEPS_PER_EPOCH, smallModel, smallRecipe } from '../support/small-run.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const FOREVER = 1_000_000;
const STEPS = 3 * SMALL_STEPS_PER_EPOCH;
const PHONE = { width: 390, height: 800 };
/** For a browser and two programs on a machine that has much else to do. */
const TEST_MS = 180_000;
const WAIT_MS = 60_000;

it('finds a browser where LOCKSTEP_REQUIRE_BROWSER=1 asks for one', () => {
  expect(browserPath === undefined && isBrowserRequired, lookedFor).toBe(false);
});

describe.skipIf(browserPath === undefined)(`the live page in Chromium${whyNoBrowser}`, { timeout: TEST_MS }, () => {
  const fixture = new Fixture();
  let browser: Browser;
  let page: Page;
  /** What went wrong in the page, and what it asked of others than this machine. */
  let faults: string[] = [];

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterEach(async () => {
    await page?.context().close();
    await fixture.clear();
    expect(faults).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await fixture.remove();
  });

  /** Opens an address in a browser whose network ends at this machine. */
  async function open(url: string): Promise<void> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    page = await context.newPage();
    faults = [];
    await page.route(
      ({ protocol, hostname }) => protocol !== 'file:' && hostname !== '127.0.0.1',
      (route) => {
        faults.push(`asked for ${route.request().url()}`);
        return route.abort();
      },
    );
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      // the browser's own word for a server that is down, which a test brings about
      const isLost = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/.test(message.text());
      if (message.type() === 'error' && !isLost) faults.push(message.text());
    });
    await page.goto(url);
  }

  const shows = (selector: string, text: string | RegExp): Promise<void> =>
    page.locator(selector).filter({ hasText: text }).first().waitFor({ timeout: WAIT_MS });
  const press = (name: string): Promise<void> => page.getByRole('button', { name, exact: true }).click();
  /** A run of two workers that ends when it is told to. */
  const runForever = (flags: readonly string[], env: Record<string, string> = {}): Program =>
    fixture.train(FOREVER, ['--workers', '2', '--epochs', String(FOREVER), ...flags], env);
  const urlOf = (run: Program): Promise<string> =>
    run.until(() => /Live page: (\S+)/.exec(run.stderr)?.[1], 'the address of the page', WAIT_MS);

  /** Serious faults of accessibility, in words. */
  async function findFaults(): Promise<string[]> {
    await page.evaluate(AXE);
    const { violations } = (await page.evaluate('axe.run()')) as {
      violations: { id: string; impact: string; nodes: { target: string[]; failureSummary: string }[] }[];
    };
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`),
      );
  }

  it('follows a run from its first step to its end, and shows all of it, on a phone as well', async () => {
    const control = new RunControl();
    control.pause();
    const chronicler = new Chronicler({
      command: 'lockstep train small',
      startedAt: new Date(0).toISOString(),
      drawInputs: createInputDrawer,
      now: () => performance.now(),
    });
    const runs = [{ name: 'small', source: chronicler }];
    const server = await PageServer.open({ flag: '--dashboard', host: '127.0.0.1', port: 0, runs, control });
    const closer = { name: 'page', close: () => server.close() };
    const dataset = await cutSample(200, 400);
    const request = { model: smallModel, recipe: smallRecipe, dataset, seed: 1, workers: 2, steps: STEPS } as const;
    const following = collect(train({ ...request, engine: 'native', control, observers: [chronicler, closer] }));
    await open(server.address);
    await shows('#phase', 'Paused');
    await press('Resume');
    const events = await following;
    await shows('#phase', 'Finished');
    const end = events.find(({ event }) => event === 'end') as Extract<RunEvent, { event: 'end' }>;
    expect(end.parametersSha256).toBe((await runSmall({ workers: 1, steps: STEPS })).hash);
    expect(await page.locator('#hash').textContent()).toBe(end.parametersSha256);
    expect(await page.locator('#result-text').textContent()).toContain(
      'Stopped after --steps: small: 3 epochs, 12 steps in',
    );
    expect(await page.locator('#result-facts').textContent()).toContain(`${end.testCorrect}/400`);
    expect(await page.locator('#tile-test').textContent()).toBe(`${(end.testCorrect / 4).toFixed(2)}%`);
    expect(await page.locator('#epochs tbody tr').count()).toBe(3);
    expect(await page.locator('.chart canvas').count()).toBe(4);
    expect(await page.locator('#crew tbody tr').count()).toBe(2);
    expect(await page.locator('#inputs figure').count()).toBe(12);
    expect(await page.locator('#filters img').count()).toBe(4);
    expect(await page.locator('#confusion tbody tr').count()).toBe(10);
    expect(await page.locator('#mistakes figure').count()).toBe(Math.min(24, 400 - end.testCorrect));
    expect(await page.locator('#model tbody tr').count()).toBe(smallModel.layers.length);
    expect(await page.locator('#recipe').textContent()).toContain('augmentation rotation10');
    expect(await page.locator('#command').textContent()).toBe('lockstep train small');
    await shows('#log li', 'Epoch 3:');
    // every picture is one that the browser can draw
    expect(await page.evaluate('[...document.images].every((image) => image.complete && image.naturalWidth > 0)')).toBe(
      true,
    );
    expect(await findFaults()).toEqual([]);
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize(PHONE);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    expect(await findFaults()).toEqual([]);
  });

  it('asks for the token, shows a node that is killed and a worker that is lost, and its buttons work', async () => {
    const folder = path.join(fixture.folder, 'ckpt');
    const listen = ['--listen', '127.0.0.1:0', '--token-file', fixture.token];
    const run = runForever([...listen, '--dashboard', '0', '--checkpoint', folder, '--every', '1000000 steps']);
    await open(await urlOf(run));
    await shows('#entrance', 'asks for its token');
    expect(await findFaults()).toEqual([]);
    await page.getByLabel('Token').fill('not the token');
    await press('Open');
    await shows('#secret-wrong', 'not the token of this run');
    expect(await page.locator('#phase').textContent()).not.toBe('Reconnecting');
    await page.getByLabel('Token').fill(readFileSync(fixture.token, 'utf8').trim());
    await page.keyboard.press('Enter');
    await shows('#phase', 'Training');
    const node = fixture.worker(await run.url(), ['--name', 'doomed']);
    await shows('#crew tr', /doomed.*working/);
    await shows('#log li', 'Node doomed');
    node.kill('SIGKILL');
    // on a slow machine it may be sent away before it is missed
    await shows('#crew tr', /doomed.*(gone|sent away)/);
    await press('Pause');
    await shows('#phase', 'Paused');
    const { step } = await run.event('paused', WAIT_MS);
    await press('Checkpoint now');
    const checkpoint = await run.event('checkpoint', WAIT_MS);
    expect(checkpoint['step']).toBe(step);
    await shows('#log li', `Checkpoint of step ${step}`);
    await press('Resume');
    await run.event('resumed', WAIT_MS);
    await shows('#phase', 'Training');
    await press('Stop');
    await page.getByRole('dialog').getByRole('button', { name: 'Stop' }).press('Enter');
    expect(await run.exit).toBe(0);
    const end = await run.event('end');
    expect(end['reason']).toBe('stopped');
    await shows('#phase', 'Stopped');
    await shows('#crew tr', /worker 0.*done/);
    expect(await page.locator('#crew tr').filter({ hasText: 'working' }).count()).toBe(0);
    expect(await page.locator('#hash').textContent()).toBe(end['parametersSha256']);
    expect(await page.locator('#buttons').isVisible()).toBe(false);
  });

  it('cases: peers 6: lists who is in, who broke rules and who was turned away as the terminal does, and lifts a ban', async () => {
    const flags = ['--listen', '127.0.0.1:0', '--token-file', fixture.token, '--dashboard', '0', '--wait-for', '1'];
    const run = runForever(flags, { LOCKSTEP_HOLD: '20:2' });
    const url = await run.url();
    fixture.worker(url, ['--name', 'honest']);
    await run.event('node-joined', WAIT_MS);
    const wild = fixture.worker(url, ['--name', 'wild'], { LOCKSTEP_FAULT: 'contributed:0:20:nan' });
    expect(await wild.exit).toBe(1);
    const other = path.join(fixture.folder, 'other-token');
    writeFileSync(other, 'a secret of another run\n');
    const ask = (token: string) => runHere(fixture.folder, ['peers', '--connect', url, '--token-file', token]);
    expect((await ask(other)).code).toBe(2);
    await open(await urlOf(run));
    await page.setViewportSize(PHONE);
    await page.getByLabel('Token').fill(readFileSync(fixture.token, 'utf8').trim());
    await page.keyboard.press('Enter');
    await shows('#peers tr', 'LOCKSTEP_NODE_TOKEN: the visitor');
    // the same names, addresses and reasons, in the same order
    const { out } = await ask(fixture.token);
    const told = out.split('\n').flatMap((line) => /^(honest|wild|127\.\S+) /.exec(line)?.[1] ?? []);
    expect(await page.locator('#peers tbody tr td:first-child').allTextContents()).toEqual(told);
    expect(told).toEqual(['honest', 'wild', expect.stringContaining('127.0.0.1:')]);
    const cells = await page.locator('#peers tr').filter({ hasText: 'wild' }).locator('td').allTextContents();
    for (const cell of cells.filter((text) => text !== 'Pardon')) expect(out).toContain(cell);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    expect(await findFaults()).toEqual([]);
    const button = page.getByRole('button', { name: 'Pardon wild' });
    await button.focus();
    await page.keyboard.press('Enter');
    await shows('#peers-told:focus', 'wild is pardoned: strikes of 1 node are taken back');
    expect(await run.event('node-pardoned', WAIT_MS)).toMatchObject({ node: 'wild', count: 1 });
    await shows('#log li', 'wild');
    await button.waitFor({ state: 'detached', timeout: WAIT_MS });
    expect((await ask(fixture.token)).out).not.toContain('Broke rules');
    run.kill('SIGKILL');
  });

  it('survives the death of the coordinator, and goes on with the curves of the run that is resumed', async () => {
    const folder = path.join(fixture.folder, 'crash');
    const flags = ['--dashboard', '0', '--checkpoint', folder, '--every', '20 steps'];
    const first = runForever(flags, { LOCKSTEP_FAULT: 'contribute:1:25:exit' });
    const url = await urlOf(first);
    await open(url);
    await shows('#crew tr', /worker 1.*replaced once/);
    await shows('#log li', 'LOCKSTEP_WORKER_REPLACED');
    await shows('#log li', 'Checkpoint of step');
    first.kill('SIGKILL');
    await first.exit;
    await shows('#phase', 'Reconnecting');
    const second = runForever(['--dashboard', new URL(url).port, '--resume', folder, '--every', '1000000 steps']);
    await shows('#log li', 'The run goes on after step');
    await shows('#log li', 'The run begins');
    await shows('#phase', 'Training');
    await press('Stop');
    await page.getByRole('dialog').getByRole('button', { name: 'Stop' }).click();
    expect(await second.exit).toBe(0);
  });

  it('opens the folders that runs have left, compares them, and their reports are whole by themselves', async () => {
    const folders = ['a', 'b'].map((name) => path.join(fixture.folder, name));
    const runs = folders.map((folder, seed) => fixture.train(18, ['--out', folder, '--seed', String(seed)]));
    expect(await Promise.all(runs.map((run) => run.exit))).toEqual([0, 0]);
    const hashes = await Promise.all(runs.map((run) => run.hash()));
    await open(pathToFileURL(path.join(folders[0] as string, 'report.html')).href);
    for (const text of ['Learning curves', 'Confusion matrix', 'Recipe', 'Model', 'Events', hashes[0] as string]) {
      await shows('main', text);
    }
    expect(await page.locator('svg').count()).toBeGreaterThanOrEqual(2);
    expect(await findFaults()).toEqual([]);
    await page.context().close();
    const program = spawn(process.execPath, [BIN, 'dashboard', ...folders, '--port', '0']);
    try {
      const [line] = (await once(program.stdout.setEncoding('utf8'), 'data')) as [string];
      await open(/http[^\s,]+/.exec(line)?.[0] ?? '');
      await shows('h1', '2 runs');
      for (const [index, hash] of hashes.entries()) {
        await shows(`#compare-results tbody tr:nth-child(${index + 1})`, hash.slice(0, 12));
      }
      expect(await page.locator('#comparison canvas').count()).toBe(4);
      expect(await page.locator('.differs').allTextContents()).toContain('seed');
      expect(await findFaults()).toEqual([]);
    } finally {
      program.kill('SIGINT');
      await once(program, 'close');
    }
    expect(program.exitCode).toBe(0);
  });
});

async function collect(events: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
  const all: RunEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}
