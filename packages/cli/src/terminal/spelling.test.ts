import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { main } from '../main.js';
import { RecordingIo } from '../testing/recording-io.js';
import { findSpelling, spellCommands } from './spelling.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-spelling-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function place(...names: string[]): string {
  const place = path.join(folder, ...names);
  mkdirSync(place, { recursive: true });
  writeFileSync(path.join(place, process.platform === 'win32' ? 'lockstep.cmd' : 'lockstep'), '');
  return place;
}

it('is lockstep where a shell finds it, else npx lockstep', () => {
  expect(findSpelling({ PATH: ['/nowhere', place('bin')].join(path.delimiter) })).toBe('lockstep');
  expect(findSpelling({ PATH: ['/nowhere', ''].join(path.delimiter) })).toBe('npx lockstep');
  expect(findSpelling({})).toBe('npx lockstep');
});

it('passes over the folder that npm puts on the path of what it starts', () => {
  expect(findSpelling({ PATH: place('node_modules', '.bin') })).toBe('npx lockstep');
});

it('spells commands, and leaves names, codes and paths alone', () => {
  const spell = (text: string): string => spellCommands(text, 'npx lockstep');
  expect(spell('see `lockstep models`')).toBe('see `npx lockstep models`');
  expect(spell('a: lockstep train --resume ck\nlockstep doctor')).toBe(
    'a: npx lockstep train --resume ck\nnpx lockstep doctor',
  );
  expect(spell('`lockstep --help` lists all')).toBe('`npx lockstep --help` lists all');
  expect(spell('Usage: lockstep [options]')).toBe('Usage: npx lockstep [options]');
  for (const text of ['lockstep: LOCKSTEP_X: no', '/a/lockstep train', 'a lockstep train.json', 'npx lockstep train']) {
    expect(spell(text)).toBe(text);
  }
  expect(spell(spell('lockstep train'))).toBe('npx lockstep train');
});

it('cases: work 17: the help of every command is spelled as the place says', async () => {
  const io = new RecordingIo();
  await main(['nonsense'], io);
  const names = /There are (.*)\./.exec(io.stderr.text)?.[1]?.split(', ') ?? [];
  expect(names.length).toBeGreaterThanOrEqual(14);
  for (const name of names) {
    const help = new RecordingIo();
    help.spelling = 'npx lockstep';
    expect(await main(['help', name], help)).toBe(0);
    expect(help.stdout.text, name).toMatch(/Usage: npx lockstep /);
    expect(help.stdout.text, name).not.toMatch(/(?<!npx )(?<=^ {2}|`)lockstep [a-z]/m);
  }
});

it('spells a help before it wraps and aligns it', async () => {
  for (const name of ['train', 'worker', 'launch', 'simulate']) {
    const help = new RecordingIo();
    help.spelling = 'npx lockstep';
    await main(['help', name], help);
    const [described = '', examples = ''] = help.stdout.text.split('Examples:\n');
    for (const line of described.split('\n')) expect(line.length, line).toBeLessThanOrEqual(120);
    // where the meanings begin, but for commands that are too long to be aligned
    const columns = examples
      .split('\n')
      .map((line) => /^ {2}(?:\S| (?! ))+ +/.exec(line)?.[0].length ?? 0)
      .filter((column) => column > 0 && column <= 68);
    expect(new Set(columns).size, examples).toBeLessThanOrEqual(1);
  }
});

it('cases: work 17: launch --dry-run spells the command that it stands for as the place says', async () => {
  const io = new RecordingIo();
  io.spelling = 'npx lockstep';
  io.env = { LOCKSTEP_RANK: '1', LOCKSTEP_SIZE: '2', LOCKSTEP_COORDINATOR: '10.0.0.5:7400', LOCKSTEP_TOKEN: 'a token' };
  expect(await main(['launch', 'net19k', '--dry-run'], io), io.stderr.text).toBe(0);
  expect(io.stdout.lines[1]).toMatch(/^ {2}npx lockstep worker --connect ws:\/\/10\.0\.0\.5:7400 /);
});
