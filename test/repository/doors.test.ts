/** Every port that others can reach is made and opened in one place, which puts a door before it. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const files = readdirSync(path.join(root, 'packages'), { recursive: true, encoding: 'utf8' })
  .map((file) => `packages/${file.split(path.sep).join('/')}`)
  .filter((file) => /^packages\/[^/]+\/src\/.*\.ts$/.test(file) && !/\.test\.ts$|\/(test-|testing\/)/.test(file));
const readCode = (file: string): string =>
  readFileSync(path.join(root, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '');
const callersOf = (pattern: RegExp): string[] => files.filter((file) => pattern.test(readCode(file))).sort();

/** What makes ports of its own, and why. */
const OWN: Readonly<Record<string, string>> = {
  'packages/core/src/door/make-server.ts': 'the place',
  'packages/cli/src/doctor/environment-checks.ts': 'tries whether a port is free, and shuts it at once',
  'packages/cli/src/lab/bench/nodes/relay-process.ts': 'cables of bench nodes, between its own processes',
};

it('peers: no other place makes a server', () =>
  expect(
    callersOf(/\bcreateServer\(|\bcreateSecureServer\(|\bcreateTlsServer\(|\bnew (Http|Net|Tls)?Server\(/),
  ).toEqual(Object.keys(OWN).sort()));

it('peers: no other place has a server listen', () => {
  const places = { ...OWN, 'packages/core/src/door/open-port.ts': 'the place' };
  const listening = callersOf(/\b(server|http|#http|this\.#server)\.listen\(/);
  expect(listening.filter((file) => !(file in places))).toEqual([]);
  expect(listening).toContain('packages/core/src/door/open-port.ts');
});

it('peers: a WebSocket server opens no port of its own', () => {
  for (const file of callersOf(/new WebSocketServer\(/)) {
    const code = readCode(file);
    expect(code, file).toMatch(/makeServer\(/);
    expect(code, file).toMatch(/openPort\(/);
    expect(/new WebSocketServer\(\{\s*(server: http|noServer: true)/.test(code), file).toBe(true);
  }
});
