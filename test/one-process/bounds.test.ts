/** What is kept of others, row by row of the table in docs/exchange.md: a flood, and how much of it is there. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { floods, readBounds } from './bounds.ts';

const ROOT = new URL('../../', import.meta.url);
const bounds = readBounds();

it('every row of the table of bounds is flooded here, or tested elsewhere by its name', () => {
  const packages = ['core', 'worker', 'coordinator', 'watch'].map((name) => `packages/${name}/src/`);
  const files = ['test/', ...packages].flatMap((folder) =>
    readdirSync(new URL(folder, ROOT), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.test.ts'))
      .map((file) => `${folder}${file}`),
  );
  const named = files.flatMap((file) => [
    ...readFileSync(new URL(file, ROOT), 'utf8').matchAll(/\('[^']*bounds: ([a-zA-Z ]+): /g),
  ]);
  const tested = new Set([...Object.keys(floods), ...named.map(([, name]) => name as string)]);
  expect(bounds.map(({ name }) => name).sort()).toEqual([...tested].sort());
});

it.each(bounds.filter(({ name }) => name in floods))('bounds: $name: at most $limit', async ({ name, limit }) => {
  const most = await (floods[name] as () => number | Promise<number>)();
  expect(most).toBeLessThanOrEqual(limit);
  // a bound that is not reached is another one than is told
  expect(most).toBeGreaterThan(0.9 * limit);
});
