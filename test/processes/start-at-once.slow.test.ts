/** `npm run train` in a clone whose kernels are still to be linked: the real set-up, compiler and program. */
import { chmodSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { findCacheFolder } from '../../packages/core/dist/files/index.js';
import { findIsa } from '../../packages/kernels/dist/index.js';
import { FreshClone } from './fresh-clone.ts';

let clone: FreshClone;

beforeAll(() => {
  clone = new FreshClone();
});
beforeEach(() => {
  // the objects stay, so that the compiling is a matter of seconds
  const build = path.join(clone.root, 'packages/kernels/build');
  for (const name of readdirSync(build).filter((name) => name !== 'obj')) rmSync(path.join(build, name));
});
afterAll(() => clone.close());

type Event = Readonly<Record<string, unknown>>;

/** Where this checkout found its compiler. */
const COMPILER = { CXX: process.env['CXX'], LOCKSTEP_CACHE: findCacheFolder() };

async function train(words: string): Promise<readonly Event[]> {
  const { code, text } = await clone.run(`npm run -s train -- --workers 2 --json --no-save ${words}`, COMPILER);
  expect(code, text).toBe(0);
  const lines = text.split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line) as Event);
}

it('does not wait at its end for a compiler that is not done, and says so', async () => {
  const compiler = path.join(clone.root, 'slow-compiler');
  writeFileSync(compiler, '#!/bin/sh\n[ "$1" = --version ] && echo "c++ 14" && exit 0\nexec sleep 3600\n');
  chmodSync(compiler, 0o755);
  const { code, text } = await clone.run('npm run -s train -- --workers 2 --steps 2 --no-save', { CXX: compiler });
  expect(code, text).toBe(0);
  expect(text).toMatch(/^setup: the kernels for this machine are not all compiled: /m);
});

it('waits for no compiler to list the models or to evaluate, and says in what it computes', async () => {
  const weights = path.join(clone.root, 'w.safetensors');
  const saved = await clone.run(`npm run -s train -- --workers 2 --steps 2 --save ${weights}`, COMPILER);
  expect(saved.code, saved.text).toBe(0);
  for (const name of readdirSync(path.join(clone.root, 'packages/kernels/build')))
    if (name !== 'obj') rmSync(path.join(clone.root, 'packages/kernels/build', name));
  const models = await clone.run('npm run -s models', { CXX: '/nowhere/c++' });
  expect(models.text).not.toContain('setup: ');
  expect(models.code).toBe(0);
  const { code, text } = await clone.run(`npm run -s evaluate -- --weights ${weights}`, { CXX: '/nowhere/c++' });
  expect(text).toMatch(/^setup: no kernels are compiled for this machine yet: this computes in WebAssembly, /m);
  expect(text).toContain('Test set: ');
  expect(code).toBe(0);
});

it('waits for them where native ones are asked for, and ends with why where that is in vain', async () => {
  const { code, text } = await clone.run('npm run -s train -- --kernels native --steps 2', { CXX: '/nowhere/c++' });
  expect(text).toContain('LOCKSTEP_KERNELS: ');
  expect(text).toContain('/nowhere/c++');
  expect(code).toBe(2);
  const events = await train('--kernels native --steps 2');
  expect(events).toContainEqual(
    expect.objectContaining({ event: 'start', engine: `native (${findIsa('native', '')})` }),
  );
});

it('trains at once, goes over to the kernels that were compiled meanwhile, and has the hash of a run that found them', async () => {
  const [wasm, best] = [`native (${findIsa('wasm', '')})`, `native (${findIsa('auto', '')})`];
  const find = (events: readonly Event[], name: string) => events.filter(({ event }) => event === name);
  const gone = await train('--epochs 40');
  expect(find(gone, 'start')).toMatchObject([{ engine: wasm }]);
  const engines = new Set(find(gone, 'epoch').map(({ engine }) => engine));
  // the first one may have gone over before it was done
  engines.delete(undefined);
  expect([...engines]).toEqual([`${wasm}, then ${best}`, best]);
  const found = await train('--epochs 40');
  expect(find(found, 'start')).toMatchObject([{ engine: best }]);
  const hash = find(gone, 'end')[0]?.['parametersSha256'];
  expect(find(found, 'end')).toMatchObject([{ parametersSha256: hash }]);
});
