import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { inferLayers, parameterCount, summarizeTotals } from '@lockstep/core/model';
import { zooModels } from '@lockstep/core/zoo';
import { describe, expect, it } from 'vitest';
import { readCommands, splitWords } from '../support/documented-commands.ts';
import { type Document, findBroken, findUnknownFiles } from './documents.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

/** Files that git knows or would take, and their folders. */
function listPaths(): Set<string> {
  const arguments_ = ['ls-files', '--cached', '--others', '--exclude-standard'];
  const files = execFileSync('git', arguments_, { cwd: ROOT, encoding: 'utf8' }).trim().split('\n');
  const folders = files.flatMap((file) => file.split('/').map((_, i, parts) => parts.slice(0, i).join('/')));
  return new Set([...files, ...folders]);
}

const paths = listPaths();
const documents: Document[] = [...paths]
  .filter((file) => /^(docs\/)?[\w-]+\.md$/.test(file))
  .map((file) => ({ file, text: read(file) }));
const scripts = new Set(Object.keys(JSON.parse(read('package.json')).scripts));

describe('the documents', () => {
  it('have links, anchors and npm scripts that lead somewhere', () => {
    expect(documents.map(({ file }) => file)).toContain('README.md');
    expect(findBroken(documents, { paths, scripts })).toEqual([]);
  });

  it('issue 22: of the architecture have at most 9 KB', () => {
    expect(Buffer.byteLength(read('ARCHITECTURE.md'))).toBeLessThanOrEqual(9 * 1024);
  });

  it('of the architecture name files that are there', () => {
    expect(findUnknownFiles(read('ARCHITECTURE.md'), paths)).toEqual([]);
  });

  it.each(zooModels.map((entry) => [entry.model.name, entry] as const))(
    'list %s of the zoo as it is',
    (name, entry) => {
      const parameters = parameterCount(inferLayers(entry.model)).toLocaleString('en-US');
      const multAdds = summarizeTotals(entry.model).multAdds.toLocaleString('en-US');
      const row =
        read('README.md')
          .split('\n')
          .find((line) => line.startsWith(`| ${name} |`)) ?? '';
      expect(row).toContain(
        `| ${name} | ${parameters} | ${multAdds} | ${entry.recipe.epochs} epochs, batch ${entry.recipe.batchSize}, `,
      );
      expect(row).toContain(`| ${entry.claim} |`);
    },
  );
});

/** Flags with files and folders that hold what a run leaves, or a secret. */
const LEFT =
  /^--(?:checkpoint|save|save-ema|trace|log-file|picture|sheet|out|weights|token-file|tls-key|tls-cert|calibration)$/;

/** What the documents' commands leave in the folder of the clone. */
function listLeft(): Set<string> {
  const commands = documents
    .filter(({ file }) => file !== 'docs/errors.md')
    .flatMap(({ file, text }) => readCommands(file, text).blocks.flatMap((block) => block.commands));
  const names = commands.flatMap((command) => {
    const { words, output } = splitWords(command);
    return [...words.filter((_, i) => LEFT.test(words[i - 1] ?? '')), ...(output === undefined ? [] : [output])];
  });
  // in a folder of its own, somewhere else, or something to put a name for
  return new Set(names.filter((name) => !/[\\/$~]/.test(name) && !/^(?:latest|[A-Z]+)$/.test(name)));
}

it('what their commands leave in a clone, secrets among it, is nothing that git would take', () => {
  const left = [...listLeft()];
  expect(left).toEqual(expect.arrayContaining(['token', 'secret', 'key.pem', 'ckpt', 'trace.json']));
  // as folders too, since a pattern may be for folders alone
  const asked = ['check-ignore', '--no-index', ...left.flatMap((name) => [name, `${name}/x`])];
  const ignored = spawnSync('git', asked, { cwd: ROOT, encoding: 'utf8' }).stdout.split('\n');
  const taken = left.filter((name) => !ignored.includes(name) && !ignored.includes(`${name}/x`));
  expect(taken).toEqual([]);
});

describe('the check of the documents', () => {
  const surroundings = { paths: new Set(['README.md', 'docs/a.md', 'core/src/a.ts']), scripts: new Set(['train']) };

  it.each([
    ['[a](docs/a.md#one-two)', []],
    ['[a](docs/b.md)', ['README.md: nothing is at docs/b.md']],
    ['[a](docs/a.md#three)', ['README.md: docs/a.md has no heading #three']],
    ['npm run -s train -- --json', []],
    ['npm run fly', ['README.md: there is no npm run fly']],
  ])('judges %s', (text, broken) => {
    const all = [
      { file: 'README.md', text },
      { file: 'docs/a.md', text: '## One, two\n[up](../README.md)' },
    ];
    expect(findBroken(all, surroundings)).toEqual(broken);
  });

  it('finds a file name that is no longer there', () => {
    expect(findUnknownFiles('`a.ts`, `core/src/*.ts`, `b.ts`, `native/a.ts`', surroundings.paths)).toEqual([
      'b.ts',
      'native/a.ts',
    ]);
  });
});
