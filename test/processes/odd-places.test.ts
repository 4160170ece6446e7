/** Places that are no ordinary files, and file systems that take no files. */
import { spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodePngImage } from '@lockstep/core/data/pictures';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BIN, writeBars } from '../support/digit-bars.js';
import { orWhyNot, runWithMounts, whyNoMounts } from '../support/mounts.js';

let folder = '';
let train = '';
const at = (name: string): string => path.join(folder, name);
const line = (...words: string[]): string => [process.execPath, BIN, ...words].map((word) => `'${word}'`).join(' ');

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-odd-'));
  const model = writeBars(folder, 64, 20);
  train = line('train', model, '--data', folder, '--workers', '1', '--epochs', '1', '--quiet');
  spawnSync('sh', ['-c', `${train} --save '${at('plain.safetensors')}'`]);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(process.platform === 'win32')('a place that is no ordinary file', () => {
  it.skipIf(whyNoMounts)(`cases: work 6: a mount point is written in place${orWhyNot}`, () => {
    writeFileSync(at('outside'), 'longer than nothing');
    writeFileSync(at('w.safetensors'), '');
    const { code, error } = runWithMounts(`mount --bind outside w.safetensors; ${train} --save w.safetensors`, folder);
    expect(code, error).toBe(0);
    expect(readFileSync(at('outside')).equals(readFileSync(at('plain.safetensors')))).toBe(true);
    expect(readFileSync(at('w.safetensors'))).toHaveLength(0);
  });

  it('cases: work 6: export --out /dev/stdout gives the file alone, wherever stdout goes', () => {
    const to = (out: string): string =>
      line('export', '--weights', at('plain.safetensors'), '--format', 'onnx', '--out', out);
    const run = (command: string) => spawnSync('sh', ['-c', command], { cwd: folder });
    expect(run(to('plain.onnx')).status).toBe(0);
    const plain = readFileSync(at('plain.onnx'));
    const before = lstatSync('/dev/stdout').ino;
    const piped = run(`${to('/dev/stdout')} | cat`);
    expect(piped.stdout.equals(plain)).toBe(true);
    expect(piped.stderr.toString()).toContain('Wrote /dev/stdout (onnx)');
    run(`${to('/dev/stdout')} > file.onnx`);
    expect(readFileSync(at('file.onnx')).equals(plain)).toBe(true);
    expect(lstatSync('/dev/stdout').ino).toBe(before);
  });

  it.each<[string, string, RegExp]>([
    ['the sheet of data', 'data DATA --sheet', /^\x89PNG/],
    ['what predict saw', 'predict --weights plain.safetensors one.png --picture', /^\x89PNG/],
    ['the time line of a run', 'TRAIN --no-save --trace', /^\[\n\{.*\}\n?\]\n?$/s],
    ['the log of a run', 'TRAIN --no-save --log-file', /^(\{"level":.*\}\n)+$/],
  ])('%s has stdout to itself, and what is said goes to stderr', (_, words, file) => {
    writeFileSync(
      at('one.png'),
      encodePngImage({ channels: 1, height: 28, width: 28, pixels: new Uint8Array(784).fill(99, 300, 420) }),
    );
    const [first = '', ...rest] = words.split(' ');
    const loud = train.replace(" '--quiet'", '');
    const command =
      first === 'TRAIN'
        ? `${loud} ${rest.join(' ')}`
        : line(first, ...rest.map((word) => (word === 'DATA' ? folder : word)));
    const { status, stdout, stderr } = spawnSync('sh', ['-c', `${command} /dev/stdout | cat`], { cwd: folder });
    expect({ status, isFile: file.test(stdout.toString('latin1')) }, stderr.toString()).toEqual({
      status: 0,
      isFile: true,
    });
    expect(stderr.toString()).toMatch(/images|Class|Parameters/);
  });

  it('cases: work 6: the weights of a run go through a link and into a fifo', () => {
    const line = `mkdir far; ln -s far/w.safetensors link; mkfifo pipe; cat pipe > piped & ${train} --save link && ${train} --save pipe && wait`;
    expect(spawnSync('sh', ['-c', line], { cwd: folder, encoding: 'utf8' })).toMatchObject({ status: 0 });
    const plain = readFileSync(at('plain.safetensors'));
    for (const name of ['far/w.safetensors', 'piped']) expect(readFileSync(at(name)).equals(plain), name).toBe(true);
    expect([lstatSync(at('link')).isSymbolicLink(), lstatSync(at('pipe')).isFIFO()]).toEqual([true, true]);
  });
});

describe('a file system that is read-only', () => {
  it.skipIf(whyNoMounts)(
    `cases: work 20: is told before the run, and with --save elsewhere it trains${orWhyNot}`,
    () => {
      mkdirSync(at('frozen'));
      const freeze = 'mount --bind frozen frozen; mount -o remount,bind,ro frozen; cd frozen;';
      const refused = runWithMounts(`${freeze} ${train}`, folder);
      expect(refused.code).toBe(2);
      expect(refused.error).toMatch(/^lockstep: LOCKSTEP_SAVE_PATH: .*the file system is read-only/m);
      const trained = runWithMounts(`${freeze} ${train} --save ../frozen.safetensors`, folder);
      expect(trained.code, trained.error).toBe(0);
      expect(readFileSync(at('frozen.safetensors')).equals(readFileSync(at('plain.safetensors')))).toBe(true);
      expect(readdirSync(at('frozen'))).toEqual([]);
    },
  );
});
