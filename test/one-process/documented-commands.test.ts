/** Every command of README.md, as it is printed there, with small numbers put in. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCommands, sortCommands, splitWords, toArguments } from '../support/documented-commands.ts';
import { CommandStage } from './run-documented.ts';

const README = readFileSync(path.join(import.meta.dirname, '../../README.md'), 'utf8');
const { toRun, marked, needless } = sortCommands([readCommands('README.md', README)]);
const stage = new CommandStage();
beforeAll(() => stage.prepare());
afterAll(() => stage.close());

describe('cases: work 29: what README.md prints can be run', () => {
  it.each(toRun.map((block) => [`${block.place}: ${block.commands.join(', then ')}`, block] as const))(
    '%s',
    async (_, block) => {
      await expect(stage.run(block)).resolves.toBeUndefined();
    },
  );

  it('and each mark of what cannot is needed', () => {
    const count = toRun.reduce((sum, { commands }) => sum + commands.length, 0);
    console.log(`README.md: ${count} commands run, ${marked.length} marked as not to be run here`);
    expect(needless).toEqual([]);
    expect(count).toBeGreaterThan(25);
  });
});

describe('the reader of documented commands', () => {
  it.each([
    ['    npm run a -- --x  # why\n    b c', ['npm run a -- --x']],
    [
      '```\nA=1 lockstep train \\\n  --x && npx lockstep models\n```',
      ['A=1 lockstep train --x', 'npx lockstep models'],
    ],
    ['| `npm run a`, then `lockstep b` | `b c` |', ['npm run a', 'lockstep b']],
    ['A `lockstep train` is a name, `lockstep train my.json` a command.', ['lockstep train my.json']],
    ['`lockstep train ... --x` and `npm run X` are neither.', []],
  ])('finds in %j what one types', (text, commands) => {
    expect(readCommands('a.md', text).blocks.flatMap((block) => block.commands)).toEqual(commands);
  });

  it('finds marks, and those that no command needs', () => {
    const text = '<!-- not run: `npm test`, `npm run b`, since REASON -->\n\n    npm test\n    npm run a';
    const { toRun, marked, needless } = sortCommands([readCommands('a.md', text)]);
    expect([toRun[0]?.commands, marked, needless]).toEqual([['npm run a'], ['npm test'], ['npm run b']]);
  });

  it.each([
    ["npm run -s train -- my.json --freeze 'features.*'", ['train', 'my.json', '--freeze', 'features.*']],
    ['npm run lockstep -- doctor', ['doctor']],
    ['npx lockstep models', ['models']],
    ['npm run build', undefined],
  ])('takes from %s the arguments of the program', (command, argv) => {
    const scripts = {
      train: 'exec node tools/lockstep.mjs train',
      lockstep: 'exec node tools/lockstep.mjs',
      build: 'x',
    };
    expect(toArguments(splitWords(command).words, scripts)).toEqual(argv);
  });

  it('refuses flags that npm would keep for itself', () => {
    const scripts = { train: 'exec node tools/lockstep.mjs train' };
    expect(() => toArguments(['npm', 'run', 'train', '--steps', '2'], scripts)).toThrow('npm keeps --steps for itself');
  });
});
