/** What a run leaves to be read names commands as they are spelled where it ran. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { main } from '../../packages/cli/dist/main.js';
import { RecordingIo } from '../../packages/cli/dist/testing/recording-io.js';
import type { Chronicle } from '../../packages/watch/dist/page/index.js';
import { writeBars } from '../support/digit-bars.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'lockstep-spelled-'));
afterAll(() => rmSync(folder, { recursive: true }));

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
