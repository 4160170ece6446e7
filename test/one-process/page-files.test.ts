/** The live page is served with every script that it imports: one from a room that nobody served left it blank. */
import { expect, it } from 'vitest';
import { readPageFiles } from '../../packages/watch/dist/page/page-files.js';
import { readImports } from '../../tools/rooms.mjs';

const files = readPageFiles();
const { imports } = JSON.parse(
  /<script type="importmap">([\s\S]*?)<\/script>/.exec(files.get('/')?.body.toString() ?? '')?.[1] ?? '{}',
) as { imports: Record<string, string> };

/** Where a browser looks for what a script imports. */
function resolveImport(from: string, name: string): string {
  if (name.startsWith('.')) return new URL(name, `http://page${from}`).pathname;
  const prefix = Object.keys(imports).find((key) => key === name || (key.endsWith('/') && name.startsWith(key)));
  return prefix === undefined ? `no ${name} in the import map` : name.replace(prefix, imports[prefix] as string);
}

it('have every script in them that one of them imports', () => {
  const scripts = [...files].filter(([, { type }]) => type.startsWith('text/javascript'));
  const missing = scripts.flatMap(([from, { body }]) =>
    readImports(body.toString())
      .map((name) => resolveImport(from, name))
      .filter((url) => !files.has(url))
      .map((url) => `${from} imports ${url}`),
  );
  expect(scripts.length).toBeGreaterThan(20);
  expect(missing).toEqual([]);
});
