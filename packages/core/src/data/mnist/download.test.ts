import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import {
  DOWNLOAD_LIMITS,
  type DownloadedFile,
  type DownloadOptions,
  type DownloadProgress,
  downloadFiles,
  type RemoteFile,
} from './download.js';
import { Mirrors, serve } from './test-mirror.js';
import { makeImages, makeLabels, packFile } from './test-mnist.js';

const mirrors = new Mirrors();
afterEach(() => mirrors.close());

const images = packFile('images.gz', makeImages(5000, 1, 28, 28));
const labels = packFile('labels.gz', makeLabels(5000));

/** Far longer than an answer of 127.0.0.1 takes: only what is meant to be slow reaches it. */
const PATIENT = { noNetworkMs: 20_000, silenceMs: 20_000 };
/** For servers that never answer. */
const IMPATIENT = { noNetworkMs: 100, silenceMs: 100 };

async function download(files: readonly RemoteFile[], options: Partial<DownloadOptions> & { mirrors: string[] }) {
  const warnings: string[] = [];
  const downloaded: DownloadedFile[] = [];
  const onWarning: DownloadOptions['onWarning'] = ({ code, message }) => warnings.push(`${code}: ${message}`);
  for await (const file of downloadFiles(files, { limits: PATIENT, onWarning, ...options })) downloaded.push(file);
  return { downloaded, warnings };
}

describe('downloadFiles', () => {
  it('gives each file packed, unpacked and with the mirror it came from', async () => {
    const mirror = await mirrors.start(serve([images, labels]));
    const { downloaded, warnings } = await download([images, labels], { mirrors: [mirror.url] });
    expect(downloaded.map(({ file, mirror }) => [file.name, mirror])).toEqual([
      ['images.gz', mirror.url],
      ['labels.gz', mirror.url],
    ]);
    expect(downloaded.map(({ packed }) => Buffer.from(packed))).toEqual([images, labels].map(({ packed }) => packed));
    expect(Buffer.compare(downloaded[0]?.content ?? Buffer.of(), images.content)).toBe(0);
    expect(warnings).toEqual([]);
  });

  it('takes a file that the mirror has unpacked', async () => {
    const mirror = await mirrors.start(serve([{ ...labels, packed: labels.content }]));
    const { downloaded } = await download([labels], { mirrors: [mirror.url] });
    expect(Buffer.compare(downloaded[0]?.content ?? Buffer.of(), labels.content)).toBe(0);
  });

  it('reports progress up to the total', async () => {
    const mirror = await mirrors.start(serve([images]));
    const seen: DownloadProgress[] = [];
    await download([images], { mirrors: [mirror.url], onProgress: (progress) => seen.push(progress) });
    const total = images.packed.length;
    expect(seen.at(-1)).toEqual({ file: 'images.gz', receivedBytes: total, totalBytes: total });
    const received = seen.map(({ receivedBytes }) => receivedBytes);
    expect(received).toEqual([...received].sort((a, b) => a - b));
  });

  it('reports no total when the mirror does not say', async () => {
    const mirror = await mirrors.start((_, response) => response.write(labels.packed, () => response.end()));
    const seen: DownloadProgress[] = [];
    await download([labels], { mirrors: [mirror.url], onProgress: (progress) => seen.push(progress) });
    expect(seen.at(-1)).toEqual({ file: 'labels.gz', receivedBytes: labels.packed.length, totalBytes: undefined });
  });

  const wrong = packFile('labels.gz', makeLabels(5000, 9));
  const damaged = Buffer.from(labels.packed);
  damaged[20] = (damaged[20] ?? 0) ^ 255;

  it.each<[string, Parameters<Mirrors['start']>[0], string | RegExp]>([
    ['is down for this file', serve([]), 'HTTP status 404. Trying'],
    ['fails', (_, response) => response.writeHead(503).end(), 'HTTP status 503. Trying'],
    [
      'has other content of the same size',
      serve([wrong]),
      `wrong content (5008 bytes, expected 5008 with SHA-256 ${labels.sha256}). Trying`,
    ],
    ['has a web page', serve([{ ...labels, packed: Buffer.from('<html>sign in</html>') }]), 'wrong content (20 bytes,'],
    [
      'has a damaged file',
      serve([{ ...labels, packed: damaged }]),
      /labels\.gz \(\d+ bytes\) cannot be unpacked: .*\. Trying/,
    ],
    [
      'has a file that unpacks to more',
      serve([packFile('labels.gz', makeLabels(5001))]),
      'cannot be unpacked: it holds more than 5008 bytes.',
    ],
    [
      'sends without end',
      (_, response) => {
        const send = () => void response.write(Buffer.alloc(65_536), (error) => error ?? send());
        send();
      },
      'more than the 5008 bytes of the file. Trying',
    ],
    [
      'hangs up in the middle of the body',
      (_, response) => {
        response.writeHead(200, { 'content-length': labels.packed.length });
        response.write(labels.packed.subarray(0, 10), () => response.destroy());
      },
      /labels\.gz: terminated \(UND_ERR_SOCKET, other side closed\)\. Trying/,
    ],
    [
      'hangs up before it answers',
      (_, response) => response.destroy(),
      'fetch failed (UND_ERR_SOCKET, other side closed). Trying',
    ],
  ])('goes on to the next mirror, with a warning, when one %s', async (_, answer, text) => {
    const bad = await mirrors.start(answer);
    const good = await mirrors.start(serve([labels]));
    const { downloaded, warnings } = await download([labels], { mirrors: [bad.url, good.url] });
    expect(downloaded.map(({ mirror }) => mirror)).toEqual([good.url]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`LOCKSTEP_DATA_MIRROR: ${bad.url}labels.gz: `);
    expect(warnings[0]).toMatch(text);
    expect(warnings[0]).toContain(`Trying ${good.url} instead.`);
  });

  it('does not wait longer than its share of the time for a mirror that never answers', async () => {
    const silent = await mirrors.start(() => {});
    const good = await mirrors.start(serve([labels]));
    const limits = { noNetworkMs: 2000, silenceMs: 60_000 };
    const { downloaded, warnings } = await download([labels], { mirrors: [silent.url, good.url], limits });
    expect(warnings).toEqual([
      `LOCKSTEP_DATA_MIRROR: ${silent.url}labels.gz: silent for 1000 ms. Trying ${good.url} instead.`,
    ]);
    expect(downloaded).toHaveLength(1);
  });

  it('waits less than five seconds in all when nothing ever answers', () => {
    expect(DOWNLOAD_LIMITS.noNetworkMs).toBeLessThanOrEqual(4000);
  });

  it('notices a body that stalls', async () => {
    const stalling = await mirrors.start((_, response) => {
      response.writeHead(200, { 'content-length': labels.packed.length });
      response.write(labels.packed.subarray(0, 10));
    });
    const limits = { noNetworkMs: 20_000, silenceMs: 100 };
    const { downloaded, warnings } = await download([labels], { mirrors: [stalling.url], limits });
    expect(downloaded).toEqual([]);
    expect(warnings).toEqual([`LOCKSTEP_DATA_MIRROR: ${stalling.url}labels.gz: silent for 100 ms. No mirror is left.`]);
  });

  it('asks a lost mirror for nothing more', async () => {
    const bad = await mirrors.start(serve([labels]));
    const good = await mirrors.start(serve([images, labels]));
    await download([images, labels], { mirrors: [bad.url, good.url] });
    expect([bad.requests, good.requests]).toEqual([['images.gz'], ['images.gz', 'labels.gz']]);
  });

  it('keeps what it has when the last mirror is lost', async () => {
    const mirror = await mirrors.start(serve([labels]));
    const { downloaded, warnings } = await download([labels, images], { mirrors: [mirror.url] });
    expect(downloaded.map(({ file }) => file.name)).toEqual(['labels.gz']);
    expect(warnings).toEqual([`LOCKSTEP_DATA_MIRROR: ${mirror.url}images.gz: HTTP status 404. No mirror is left.`]);
  });

  it('ends with warnings when no server is there at all', async () => {
    const [first, second] = [await mirrors.startNone(), await mirrors.startNone()];
    const { downloaded, warnings } = await download([labels], { mirrors: [first, second] });
    expect(downloaded).toEqual([]);
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toMatch(/fetch failed \(ECONNREFUSED, connect ECONNREFUSED 127\.0\.0\.1:\d+\)\. Trying/);
    expect(warnings[1]).toContain('No mirror is left.');
  });

  it('ends at once without mirrors', async () => {
    expect(await download([labels], { mirrors: [] })).toEqual({ downloaded: [], warnings: [] });
  });

  it('throws the reason when aborted while it waits', async () => {
    const controller = new AbortController();
    const silent = await mirrors.start(() => controller.abort(new Error('Ctrl-C')));
    const next = await mirrors.start(serve([labels]));
    const started = download([labels], { mirrors: [silent.url, next.url], signal: controller.signal });
    await expect(started).rejects.toThrow('Ctrl-C');
    expect(next.requests).toEqual([]);
  });

  it('leaves no timer and no listener behind, whatever happened', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    let listeners = 0;
    const { signal } = new AbortController();
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      listeners++;
      addEventListener.apply(signal, args);
    };
    signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      listeners--;
      removeEventListener.apply(signal, args);
    };
    const before = timers();
    const silent = await mirrors.start(() => {});
    const missing = await mirrors.start(serve([]));
    const good = await mirrors.start(serve([labels]));
    const all = [silent.url, missing.url, good.url];
    await download([labels], { mirrors: all, limits: { ...IMPATIENT, silenceMs: 20_000 }, signal });
    expect(listeners).toBe(0);
    expect(timers()).toBeLessThanOrEqual(before);
  });

  it('takes the checksum of the unpacked content, so that mirrors may pack as they like', async () => {
    const packed = gzipSync(images.content, { level: 1 });
    expect(createHash('sha256').update(packed).digest()).not.toEqual(
      createHash('sha256').update(images.packed).digest(),
    );
    const mirror = await mirrors.start(serve([{ ...images, packed }]));
    expect((await download([images], { mirrors: [mirror.url] })).downloaded).toHaveLength(1);
  });
});
