/** The commands of documents, by a shell in a fresh clone, with small numbers put in. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasProgram } from '../support/clusters-availability.ts';
import {
  type CommandBlock,
  isAssignment,
  readCommands,
  sortCommands,
  splitWords,
  toArguments,
} from '../support/documented-commands.ts';
import { findFreePort } from '../support/free-port.ts';
import { listReads, putSmallNumbers, type Read, SMALL_MODEL } from '../support/small-numbers.ts';
import { writeSmallPictures } from '../support/small-pictures.ts';
import { FreshClone } from './fresh-clone.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const DOCUMENTS = path.join(ROOT, 'docs');
const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));

/** Programs of launchers that a machine may lack. */
const LAUNCHERS = /^(?:mpirun|torchrun)$/;
const KEPT: Readonly<Record<Read['kept'], string>> = {
  weights: 'kept/w.safetensors',
  checkpoints: 'kept/ckpt',
  pictures: 'kept/pictures',
  token: 'kept/token',
  run: 'kept/run',
  model: 'kept/model.json',
  image: 'kept/pictures/1/1.png',
  certificate: 'kept/cert.pem',
  key: 'kept/key.pem',
  table: 'kept/table.csv',
};

async function prepareClone(): Promise<FreshClone> {
  const clone = new FreshClone();
  mkdirSync(path.join(clone.root, 'kept'));
  writeFileSync(path.join(clone.root, KEPT.token), 'documented-secret');
  writeFileSync(path.join(clone.root, KEPT.model), JSON.stringify(SMALL_MODEL));
  writeFileSync(path.join(clone.root, KEPT.table), `${Array.from({ length: 784 }, (_, i) => i % 256)}\n`.repeat(3));
  writeSmallPictures(path.join(clone.root, KEPT.pictures));
  const lines = [
    `lockstep train --steps 2 --workers 2 --save ${KEPT.weights} --checkpoint ${KEPT.checkpoints} --out ${KEPT.run}`,
    `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout ${KEPT.key} -out ${KEPT.certificate}`,
  ];
  for (const line of ['npm run build', ...lines]) await expectSuccess(clone, 'set-up', line);
  clone.keep();
  return clone;
}

async function expectSuccess(
  clone: FreshClone,
  place: string,
  line: string,
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  const { code, text } = await clone.run(line, env);
  expect(code, `${place}: ${line}\n${text.slice(-4000)}`).toBe(0);
}

const quote = (word: string): string => (/^[\w.,:/=+-]+$/.test(word) ? word : `'${word}'`);

/** A line with small numbers in each command of ours that is in it, whatever launcher begins it. */
function shrink(command: string, port: number): { line: string; argv: string[] } {
  const { words, output } = splitWords(command);
  const end = output === undefined ? '' : ` > ${output}`;
  const before = words.filter(isAssignment).map((word) => word.replace('10.0.0.5:7400', `127.0.0.1:${port}`));
  const rest = words.slice(before.length);
  const argv = toArguments(rest, scripts);
  if (argv !== undefined) {
    const start =
      rest[0] === 'npm' ? (rest[2] === '-s' ? 'npm run -s lockstep --' : 'npm run lockstep --') : 'lockstep';
    const small = putSmallNumbers(argv, port).map(quote);
    return { line: `${[...before, rest[0] === 'npx' ? 'npx lockstep' : start, ...small].join(' ')}${end}`, argv };
  }
  const ours = rest.indexOf('lockstep');
  if (ours < 0) return { line: command, argv: [] };
  const next = rest.indexOf(':', ours);
  const own = rest.slice(ours + 1, next < 0 ? undefined : next);
  const small = putSmallNumbers(own, port).map(quote);
  const start = [...before, ...rest.slice(0, ours).map((word) => (word === '8' ? '2' : word)), 'lockstep'];
  if (next < 0) return { line: [...start, ...small].join(' '), argv: own };
  const others = shrink(rest.slice(next + 1).join(' '), port);
  return { line: [...start, ...small, ':', others.line].join(' '), argv: [...own, ...others.argv] };
}

async function runBlock(clone: FreshClone, { place, commands }: CommandBlock): Promise<void> {
  const port = await findFreePort();
  const alone = { LOCKSTEP_RANK: '0', LOCKSTEP_SIZE: '1', LOCKSTEP_COORDINATOR: `127.0.0.1:${port}` };
  const together: Promise<void>[] = [];
  for (const command of commands) {
    const { line, argv } = shrink(command, port);
    for (const { kept, at } of listReads(argv)) {
      const to = path.join(clone.root, at);
      if (!existsSync(to)) cpSync(path.join(clone.root, KEPT[kept]), to, { recursive: true });
    }
    const isLauncher = LAUNCHERS.test(command.split(' ')[0] as string);
    const started = expectSuccess(clone, place, line, argv[0] === 'launch' && !isLauncher ? alone : {});
    if (argv.includes('--listen') || argv.includes('--connect') || /LOCKSTEP_RANK/.test(line)) together.push(started);
    else await started;
  }
  await Promise.all(together);
  clone.tidy();
}

/** One half of the files of docs, so that two test files share them, each with a clone of its own. */
export function testDocuments(half: 0 | 1): void {
  const files = readdirSync(DOCUMENTS).filter((file) => file.endsWith('.md'));
  const documents = files.map((file) => readCommands(`docs/${file}`, readFileSync(path.join(DOCUMENTS, file), 'utf8')));
  const { toRun, marked, needless } = sortCommands(documents);
  const blocks = toRun.filter((_, i) => i % 2 === half);

  describe('what docs/*.md print can be run as it is printed', () => {
    let clone: FreshClone;

    beforeAll(async () => {
      clone = await prepareClone();
    });

    afterAll(() => clone.close());

    for (const block of blocks) {
      const missing = block.commands
        .map((command) => command.split(' ')[0] as string)
        .find((name) => LAUNCHERS.test(name));
      const isThere = missing === undefined || hasProgram(missing);
      it.skipIf(!isThere)(`${block.place}: ${block.commands.join(', then ')}`, () => runBlock(clone, block));
    }

    it('and each mark of what cannot is needed', () => {
      const count = blocks.flatMap(({ commands }) => commands).length;
      console.log(`docs/*.md: ${count} commands in this half, ${marked.length} in all marked as not to be run here`);
      expect(needless).toEqual([]);
    });
  });
}
