/** What a run leaves to be read names commands as they are spelled where it ran. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { main } from '../../packages/cli/dist/main.js';
import { RecordingIo } from '../../packages/cli/dist/testing/recording-io.js';
import type { Chronicle } from '../../packages/watch/dist/chronicle/index.js';
import { writeBars } from '../support/digit-bars.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'lockstep-spelled-'));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

it.each(['npx lockstep', 'lockstep'])(
  'cases: work 17: doctor spells commands as %s, for programs too',
  async (spelling) => {
    vi.stubEnv('LOCKSTEP_CACHE', path.join(folder, 'empty-cache'));
    const io = new RecordingIo();
    io.spelling = spelling;
    await main(['doctor', '--json', '--listen', '127.0.0.1:0'], io);
    const { findings } = JSON.parse(io.stdout.text) as { findings: { fix?: string }[] };
    const fixes = findings.flatMap(({ fix }) => fix ?? []);
    expect(fixes).toContain(`${spelling} train with a network once, or --data with a folder that has the four files`);
    const people = new RecordingIo();
    people.spelling = spelling;
    await main(['doctor', '--listen', '127.0.0.1:0'], people);
    for (const fix of fixes) expect(people.stdout.text).toContain(`fix:   ${fix}\n`);
  },
);

it.each(['npx lockstep', 'lockstep'])('cases: work 17: page and report spell commands as %s', async (spelling) => {
  const io = new RecordingIo();
  io.spelling = spelling;
  const out = path.join(folder, spelling);
  const run = ['--data', folder, '--workers', '1', '--epochs', '1', '--no-save', '--out', out];
  const cluster = ['--listen', '127.0.0.1:0', '--wait-for', '0'];
  expect(await main(['train', writeBars(folder, 64, 20), ...run, ...cluster], io), io.stderr.text).toBe(0);
  const { about, log } = JSON.parse(readFileSync(path.join(out, 'chronicle.json'), 'utf8')) as Chronicle;
  expect(about?.command?.startsWith(`${spelling} train `)).toBe(true);
  const told = log.map(({ text }) => text).join('\n');
  expect(told).toContain(`on it: ${spelling} worker --connect ws://127.0.0.1:`);
  expect(readFileSync(path.join(out, 'report.html'), 'utf8')).toContain(`${spelling} train `);
});
