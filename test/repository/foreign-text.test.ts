/** What others wrote is taken for JSON in one place, which has limits: no deeper, longer or fuller than any of ours. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');

/** Where JSON.parse stands, and whose text that is. */
const OWN: Readonly<Record<string, string>> = {
  'packages/core/src/files/json-text.ts': 'the place',
  'packages/core/src/files/json-place.ts': 'a key of a text that it has read',
  'packages/core/src/files/version.ts': "the package's own package.json",
  'packages/cli/src/main.ts': "the package's own package.json",
  'packages/cli/src/lab/reproduce/promised-hashes.ts': "a file of the package's own",
  'packages/cli/src/lab/speedrun/timed-sprint.ts': 'lines of a process that it started',
  'packages/cli/src/lab/speedrun/torch-sprint.ts': 'lines of a process that it started',
  'packages/cli/src/lab/bench/tensorflow.ts': 'lines of a process that it started',
  'packages/cli/src/lab/bench/tfjs-baseline.ts': 'lines of the process that started it',
  'packages/cli/src/lab/bench/viewer-crowd.ts': 'messages of a page that it serves itself',
  'packages/watch/src/page/browser/connection.ts': 'runs in a browser, on messages of the server that it came from',
};

it('cases: peers 19: JSON.parse reads nothing that others wrote', () => {
  const files = readdirSync(path.join(root, 'packages'), { recursive: true, encoding: 'utf8' })
    .map((file) => `packages/${file.split(path.sep).join('/')}`)
    .filter((file) => /^packages\/[^/]+\/src\/.*\.ts$/.test(file) && !/\.test\.ts$|\/(test-|testing\/)/.test(file));
  const callers = files.filter((file) => /\bJSON\.parse\(/.test(readFileSync(path.join(root, file), 'utf8')));
  expect(callers.sort()).toEqual(Object.keys(OWN).sort());
});
