/** What others wrote is shown to people in one way: by `plainText`, where lines are written and where messages are read. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { tellNote, writeJson, writeLine } from '../../packages/cli/dist/terminal/io.js';
import { formatTable } from '../../packages/cli/dist/terminal/text-table.js';

const root = path.resolve(import.meta.dirname, '../..');

/** Where streams are written to, and what. */
const WRITERS: Readonly<Record<string, string>> = {
  'packages/cli/src/terminal/io.ts': 'the place',
  'packages/cli/src/terminal/process-io.ts': 'hands on what that has written',
  'packages/cli/src/terminal/process-output.ts': 'the same, and its own words on a stream that is lost',
  'packages/cli/src/terminal/terminal.ts': 'the status line, of numbers, and what moves the cursor',
  'packages/cli/src/command-line.ts': 'help',
  'packages/cli/src/sprint-process.ts': 'JSON for the process that has started it',
  'packages/cli/src/lab/bench/tfjs-baseline.ts': 'JSON for the process that has started it',
};

/** The sources of the packages that people run. */
function listSources(...names: readonly string[]): string[] {
  return names.flatMap((name) =>
    readdirSync(path.join(root, 'packages', name, 'src'), { recursive: true, encoding: 'utf8' })
      .map((file) => `packages/${name}/src/${file.split(path.sep).join('/')}`)
      .filter((file) => /\.ts$/.test(file) && !/\.test\.ts$/.test(file)),
  );
}

/** Without comments, which have examples. */
const read = (file: string): string =>
  readFileSync(path.join(root, file), 'utf8').replace(/^ *(?:\/\*\*| \*).*$/gm, '');

it('cases: peers 17: nothing else writes to a stream of the program', () => {
  const writes = /\b(?:stdout|stderr|stream|screen\.stderr)\.write\(|\bconsole\./;
  const writers = listSources('core', 'worker', 'coordinator', 'watch', 'cli').filter((file) =>
    writes.test(read(file)),
  );
  expect(writers.sort()).toEqual(Object.keys(WRITERS).sort());
});

it('cases: peers 17: every text of a message between machines has a form, or is made plain as it is read', () => {
  const texts = listSources('core')
    .filter((file) => file.startsWith('packages/core/src/wire/'))
    .flatMap((file) => [...read(file).matchAll(/z\s*\.string\(\)[^,;]*[,;]/g)].map(([text]) => text));
  expect(texts.length).toBeGreaterThan(4);
  expect(texts.filter((text) => !/\.regex\(|\.transform\(plainText\)/.test(text))).toEqual([]);
});

/** What moves a cursor, turns the direction of writing, or is not to be seen; line ends are the program's own. */
const HIDDEN = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const foreign = fc.string({
  unit: fc.constantFrom('a', ' ', '\u001b[2J', '\r', '\n', '\t', '\u202e', '\u0085', '\u2028'),
});

function write(act: (stream: { write(text: string): void }) => void): string {
  let written = '';
  act({ write: (text) => (written += text) });
  return written;
}

it('cases: peers 17: no line, note or cell that people read holds what is not to be seen, and JSON says what it was', () => {
  fc.assert(
    fc.property(foreign, (text) => {
      expect(write((stream) => writeLine(stream, text))).not.toMatch(HIDDEN);
      const note = write((stderr) => tellNote({ stderr }, text));
      expect(note).not.toMatch(HIDDEN);
      expect(note.split('\n')).toHaveLength(2);
      const lines = formatTable([['class', text]], 'll');
      expect(lines.join('')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      expect(JSON.parse(write((stream) => writeJson(stream, { text })))).toEqual({ text });
    }),
  );
});
