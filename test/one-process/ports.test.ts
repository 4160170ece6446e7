/** A port that cannot be had is an error with a code, wherever a port is opened. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../packages/cli/dist/main.js';
import { RecordingIo } from '../../packages/cli/dist/testing/recording-io.js';
import { Mesh } from '../../packages/worker/dist/connection/mesh.js';
import { SMALL_IMAGES, writeSample } from '../support/small-run.ts';

const TEST_MS = 20_000;
/** The code of each flag, and what stands before the address in its error. */
const flags = [
  ['--listen', 'LOCKSTEP_LISTEN: cannot listen on'],
  ['--health', 'LOCKSTEP_HEALTH: cannot answer probes on'],
  ['--metrics', 'LOCKSTEP_METRICS_PORT: cannot answer --metrics on'],
  ['--dashboard', 'LOCKSTEP_DASHBOARD_PORT: cannot show the page at'],
] as const;
/** An address of TEST-NET-1, which no machine has, and a name of a domain that never is. */
const FOREIGN_ADDRESS = '192.0.2.1';
const UNKNOWN_HOST = 'no-such-host.invalid';

describe('a port that cannot be had', { timeout: TEST_MS }, () => {
  const before = { ...process.env };
  let folder = '';
  let other: Server;
  let taken = 0;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'lockstep-ports-'));
    Object.assign(process.env, { LOCKSTEP_OFFLINE: '1', LOCKSTEP_CACHE: folder });
    writeFileSync(path.join(folder, 'token'), 'a secret of a test');
    await writeSample(folder, SMALL_IMAGES, 50);
    other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    taken = (other.address() as AddressInfo).port;
  });
  afterAll(async () => {
    process.env = before;
    rmSync(folder, { recursive: true });
    await new Promise((resolve) => other.close(resolve));
  });

  async function train(...argv: string[]): Promise<{ code: number; error: string | undefined }> {
    const io = new RecordingIo();
    const code = await main(['train', 'sprint13k', '--steps', '1', '--no-save', '--data', folder, ...argv], io);
    return { code, error: io.stderr.lines.at(-1) };
  }

  /** Where others could come in, a secret is asked for first. */
  const tokenFor = (flag: string): string[] =>
    flag === '--listen' || flag === '--dashboard' ? ['--token-file', path.join(folder, 'token')] : [];

  it.each(flags)('cases: work 15: of %s is said when another program has it, with exit code 2', async (flag, what) => {
    const { code, error } = await train(flag, `127.0.0.1:${taken}`);
    expect(error).toContain(`${what} 127.0.0.1:${taken}: another program listens there. Choose another`);
    expect(code).toBe(2);
  });

  it.each(flags)('cases: work 15: of %s is said when the address is of another machine', async (flag, what) => {
    const { code, error } = await train(flag, `${FOREIGN_ADDRESS}:7400`, ...tokenFor(flag));
    expect(error).toContain(`${what} ${FOREIGN_ADDRESS}:7400: this machine has no such address. Choose another`);
    expect(code).toBe(2);
  });

  it('cases: work 15: is said when no machine has the name', async () => {
    const { code, error } = await train('--listen', `${UNKNOWN_HOST}:7400`, ...tokenFor('--listen'));
    // a machine without a resolver cannot tell the one from the other
    expect(error).toMatch(
      /LOCKSTEP_LISTEN: cannot listen on no-such-host\.invalid:7400: (no machine has that name|that name cannot be looked up now)\. Choose another --listen\./,
    );
    expect(code).toBe(2);
  });

  it('cases: work 15: is said by a node of a mesh', async () => {
    const mesh = new Mesh(new Uint8Array(0), { heartbeatMs: 1000, silenceMs: 5000 });
    await expect(mesh.listen('127.0.0.1', taken)).rejects.toThrow(
      `LOCKSTEP_LISTEN: cannot listen on 127.0.0.1:${taken}: another program listens there. Choose another --mesh-listen.`,
    );
    mesh.close();
  });
});
