/** For tests: small data in MNIST's form, and where the full set may be. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { encodeIdxImages, encodeIdxLabels } from '../readers/idx.js';
import type { RemoteFile } from './download.js';

/** `$LOCKSTEP_MNIST`, else `../shared/mnist` beside the repository; undefined when the full set is not there. */
export function findFullMnist(): string | undefined {
  const beside = fileURLToPath(new URL('../../../../../../shared/mnist', import.meta.url));
  const folder = process.env['LOCKSTEP_MNIST'] ?? beside;
  return existsSync(`${folder}/train-images-idx3-ubyte.gz`) ? folder : undefined;
}

/** An IDX file of `count` images in which every byte depends on its place. */
export function makeImages(count: number, channels = 1, height = 3, width = 2): Uint8Array {
  const pixels = Uint8Array.from({ length: count * channels * height * width }, (_, i) => (i * 37) % 251);
  return encodeIdxImages({ count, channels, height, width, pixels });
}

/** An IDX file of `count` labels that go round 0..classes-1. */
export function makeLabels(count: number, classes = 10): Uint8Array {
  return encodeIdxLabels(Uint8Array.from({ length: count }, (_, i) => i % classes));
}

/** A file as mirrors have it. */
export interface PackedFile extends RemoteFile {
  readonly content: Uint8Array;
  readonly packed: Uint8Array;
}

export function packFile(name: string, content: Uint8Array): PackedFile {
  const sha256 = createHash('sha256').update(content).digest('hex');
  return { name, bytes: content.length, sha256, content, packed: gzipSync(content) };
}
