/** Runs over TLS. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { useFixture } from '../support/cluster-fixture.ts';

const STEPS = 20;
const fixture = useFixture();
const cert = path.join(fixture.folder, 'cert.pem');
const key = path.join(fixture.folder, 'key.pem');
const openssl = spawnSync('openssl', [
  ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
  ...['-keyout', key, '-out', cert, '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'],
]);

describe.runIf(openssl.status === 0)('TLS', () => {
  it('cases: peers 34: gives the same bits, to nodes that know the certificate and only to them', async () => {
    const expected = await fixture.hashAlone(STEPS);
    const run = fixture.listen(STEPS, ['--wait-for', '1', '--tls-cert', cert, '--tls-key', key]);
    const url = await run.url();
    expect(url).toMatch(/^wss:/);
    const stranger = fixture.worker(url, ['--connect-timeout', '1']);
    expect(await stranger.exit).toBe(1);
    expect(stranger.stderr).toContain('with --tls-ca.');
    const plain = fixture.worker(url.replace('wss:', 'ws:'), ['--connect-timeout', '1']);
    expect(await plain.exit).not.toBe(0);
    expect(plain.stderr).toContain('compare ws:// and wss://');
    fixture.worker(url, ['--tls-ca', cert]);
    expect(await run.hash()).toBe(expected);
  });

  it('refuses a certificate without its key', async () => {
    const run = fixture.listen(STEPS, ['--tls-cert', cert]);
    expect(await run.exit).toBe(2);
    expect(run.stderr).toContain('LOCKSTEP_TLS: --tls-cert and --tls-key belong together: give both, or none.');
  });
});

describe('a port', () => {
  it('is not opened to other machines without a token, and says why', async () => {
    const run = fixture.train(STEPS, ['--listen', '0.0.0.0:0']);
    expect(await run.exit).toBe(2);
    expect(run.stderr).toContain(
      'LOCKSTEP_LISTEN_TOKEN: --listen 0.0.0.0 lets other machines in, so it needs --token-file',
    );
  });
});
