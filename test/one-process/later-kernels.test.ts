/** A run that begins with the kernels in WebAssembly, while this machine's are compiled beside it, and goes over to them. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { awaitKernels } from '../../packages/cli/dist/api/awaited-kernels.js';
import { train } from '../../packages/cli/dist/api/session.js';
import { main } from '../../packages/cli/dist/main.js';
import { RecordingIo } from '../../packages/cli/dist/testing/recording-io.js';
import type { EpochEvent, RunEvent } from '../../packages/core/dist/events/index.js';
import { findIsa } from '../../packages/kernels/dist/index.js';
import { cutSample } from '../../tools/golden-runs.mjs';
import { SMALL_IMAGES, SMALL_STEPS_PER_EPOCH, smallModel, smallRecipe } from '../support/small-run.ts';

const EPOCHS = 3;
const NATIVE = `native (${findIsa('native', '')})`;
const WASM = `native (${findIsa('wasm', '')})`;
const dataset = await cutSample(SMALL_IMAGES, 16);

/** As if those for this machine were not there. */
const hideKernels = (): void => void vi.stubEnv('LOCKSTEP_ISA', 'wasm');
const showKernels = (): void => void vi.stubEnv('LOCKSTEP_ISA', '');

beforeEach(hideKernels);
afterEach(() => void vi.unstubAllEnvs());

/** A compiler that is done, or fails, when the test says so. */
function makeCompiler() {
  let end: (failure: string | undefined) => void = () => {};
  const done = new Promise<string | undefined>((resolve) => {
    end = resolve;
  });
  const compileKernels = vi.fn(() => done);
  const finish = (failure?: string): void => {
    if (failure === undefined) showKernels();
    end(failure);
  };
  return { compileKernels, finish };
}

type Asked = Partial<Parameters<typeof train>[0]>;

/** Runs to the end; `onEvent` sees each event before the run goes on. */
async function run(asked: Asked = {}, onEvent: (event: RunEvent) => void = () => {}) {
  const events: RunEvent[] = [];
  const recipe = { ...smallRecipe, clipNorm: 1 };
  const request = { model: smallModel, recipe, dataset, seed: 3, engine: 'native' as const, workers: 2 };
  const compileKernels = await awaitKernels({ ...request, ...asked }, () => {});
  for await (const event of train({ ...request, steps: EPOCHS * SMALL_STEPS_PER_EPOCH, ...asked, compileKernels })) {
    events.push(event);
    onEvent(event);
  }
  const find = (name: string) => events.find(({ event }) => event === name) as never as Record<string, unknown>;
  const epochs = events.filter((event): event is EpochEvent => event.event === 'epoch');
  return { start: find('start'), warning: find('warning'), end: find('end'), engines: epochs.map((e) => e.engine) };
}

it('goes over between two steps, says in the epoch line what computed, and has the bits of a run without that', async () => {
  const { compileKernels, finish } = makeCompiler();
  const gone = await run({ compileKernels }, ({ event }) => {
    if (event === 'epoch') finish();
  });
  expect([gone.start['engine'], ...gone.engines]).toEqual([WASM, undefined, `${WASM}, then ${NATIVE}`, NATIVE]);
  showKernels();
  const plain = await run();
  expect([plain.start['engine'], ...plain.engines]).toEqual([NATIVE, undefined, undefined, undefined]);
  expect(gone.end['parametersSha256']).toBe(plain.end['parametersSha256']);
});

it('goes over in the middle of an epoch, at whatever step, to the same bits', async () => {
  showKernels();
  const plain = await run();
  for (let late = 0; late < 4; late++) {
    hideKernels();
    const { compileKernels, finish } = makeCompiler();
    // some turns of the event loop after the start: at whichever step the workers are then
    const wait = (turns: number): void => void (turns === 0 ? finish() : setImmediate(() => wait(turns - 1)));
    const { end } = await run({ compileKernels }, ({ event }) => {
      if (event === 'data') wait(200 * late);
    });
    expect(end['parametersSha256']).toBe(plain.end['parametersSha256']);
  }
});

it('ends after its step when it is stopped while it goes over', async () => {
  const { compileKernels, finish } = makeCompiler();
  const ending = new AbortController();
  const { end } = await run({ compileKernels, signal: ending.signal }, ({ event }) => {
    if (event !== 'epoch') return;
    finish();
    ending.abort();
  });
  expect(end).toMatchObject({ reason: 'interrupted', steps: SMALL_STEPS_PER_EPOCH });
});

it('stays with WebAssembly where nothing can be compiled, and says why', async () => {
  const { compileKernels, finish } = makeCompiler();
  const { engines, warning } = await run({ compileKernels }, ({ event }) => {
    if (event === 'start') finish('no C++ compiler was found');
  });
  expect(engines).toEqual([undefined, undefined, undefined]);
  expect(warning).toMatchObject({
    code: 'LOCKSTEP_KERNELS_LATER',
    message:
      'the run stays with the kernels in WebAssembly, to the same bits: those for this machine were not compiled: no C++ compiler was found',
  });
});

it('stays with WebAssembly where none of the kernels that come is faster, and says so', async () => {
  const { compileKernels, finish } = makeCompiler();
  const { engines, warning } = await run({ compileKernels }, ({ event }) => {
    if (event !== 'epoch') return;
    finish();
    hideKernels();
  });
  expect(engines).toEqual([undefined, undefined, undefined]);
  expect(warning).toMatchObject({ message: expect.stringMatching(/: none of those for this machine is faster$/) });
});

it('compiles nothing, and says nothing, where another set-up has made the kernels just before it begins', async () => {
  const { compileKernels } = makeCompiler();
  showKernels();
  const { start, warning } = await run({ compileKernels });
  expect([start['engine'], warning]).toEqual([NATIVE, undefined]);
  expect(compileKernels).not.toHaveBeenCalled();
});

it('compiles nothing where WebAssembly is asked for, and waits where native kernels are', async () => {
  const unwanted = makeCompiler();
  expect((await run({ kernels: 'wasm', compileKernels: unwanted.compileKernels })).start['engine']).toBe(WASM);
  expect(unwanted.compileKernels).not.toHaveBeenCalled();
  const { compileKernels, finish } = makeCompiler();
  compileKernels.mockImplementation(() => {
    finish();
    return Promise.resolve(undefined);
  });
  const { start, engines } = await run({ kernels: 'native', compileKernels });
  expect([start['engine'], ...engines]).toEqual([NATIVE, undefined, undefined, undefined]);
});

it('says why, before anything is computed, where native kernels are asked for and cannot be compiled', async () => {
  const compileKernels = () => Promise.resolve('no C++ compiler was found');
  await expect(run({ kernels: 'native', compileKernels })).rejects.toMatchObject({
    code: 'LOCKSTEP_KERNELS',
    message: expect.stringMatching(/: those for this machine were not compiled: no C\+\+ compiler was found$/),
  });
});

it('ends at the first signal while it waits for a compiler: nothing has begun', async () => {
  const { compileKernels, finish } = makeCompiler();
  const io = new RecordingIo();
  const argv = ['train', '--kernels', 'native', '--workers', '1', '--steps', '1', '--no-save', '--offline'];
  compileKernels.mockImplementationOnce(() => {
    io.interrupt('SIGINT');
    finish('of the signal');
    return compileKernels();
  });
  expect(await main(argv, Object.assign(io, { compileKernels }))).toBe(2);
  expect(io.exitCodes).toEqual([130]);
  expect(io.stderr.lines).toContain('Ended by SIGINT before the run began.');
});

it.each([['train'], ['bench']])('%s: kernels that are asked for and cannot run here are bad input', async (command) => {
  const io = new RecordingIo();
  expect(await main([command, '--kernels', 'native', '--offline'], io)).toBe(2);
  expect(io.stderr.text).toContain(
    'LOCKSTEP_KERNELS: no native build of the kernels for "wasm" can run here; available: ',
  );
});
