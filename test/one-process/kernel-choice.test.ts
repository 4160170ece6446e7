/** `--kernels`: who may compute, and what is said when nobody of them can. */
import { afterEach, expect, it, vi } from 'vitest';
import { describeOccasion } from '../../packages/cli/dist/lab/bench/measure/machine.js';
import { recipeSchema } from '../../packages/core/dist/spec/index.js';
import { findZooModel } from '../../packages/core/dist/zoo/index.js';
import { availableIsas, findIsa } from '../../packages/kernels/dist/index.js';
import { LocalNode } from '../../packages/worker/dist/node/index.js';
import { cutSample } from '../../tools/golden-runs.mjs';

afterEach(() => {
  vi.unstubAllEnvs();
});

async function openNode(kernels?: 'auto' | 'native' | 'wasm'): Promise<LocalNode> {
  const { model } = findZooModel('lenet5');
  const dataset = await cutSample(32, 16);
  return new LocalNode({ model, recipe: recipeSchema.parse({ batchSize: 32 }), dataset, seed: 1, workers: 1, kernels });
}

it.each([
  ['wasm', /^native \(wasm(-exact)?\)$/],
  ['native', /^native \((avx512|avx2|neon)\)$/],
] as const)('a node with the kernels of choice %s says which they are, and trains', async (choice, name) => {
  const node = await openNode(choice);
  try {
    expect(node.engine).toMatch(name);
    const { committed, stepLoss } = await node.train({ epoch: 0, firstStep: 0, endStep: 1 });
    expect(committed).toBe(1);
    expect(stepLoss).toBeGreaterThan(0);
  } finally {
    await node.close();
  }
});

it("the better of WebAssembly's builds is what `wasm` means", () => {
  const best = availableIsas().find((isa) => isa.startsWith('wasm'));
  expect(findIsa('wasm', '')).toBe(best);
  expect(findIsa('auto', 'wasm')).toBe(best);
  expect(findIsa('auto', 'wasm-exact')).toBe('wasm-exact');
});

it('what cannot be had is refused with a code, and what there is instead', async () => {
  vi.stubEnv('LOCKSTEP_ISA', 'wasm');
  await expect(openNode('native')).rejects.toThrow(
    `LOCKSTEP_KERNELS: no native build of the kernels for "wasm" can run here; available: ${availableIsas().join(', ')}`,
  );
});

it('a measurement says which kernels were measured', () => {
  expect(describeOccasion('wasm').machine.isa).toBe(findIsa('wasm', ''));
  expect(describeOccasion().machine.isa).toBe(availableIsas()[0]);
});
