/** For tests: a temporary folder with data, what is needed to open it, and the warnings of that. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { DataOptions } from './data-options.js';
import type { Dataset } from './dataset/dataset.js';
import { openDataset } from './open-dataset.js';
import { makeImage } from './test-images.js';

/** A small grey image. */
export const makeGrey = (index: number) => makeImage(1, 4, 3, index);

export class DataFolder {
  /** Holds the data and the cache. */
  readonly folder = mkdtempSync(join(tmpdir(), 'lockstep-data-'));
  readonly warnings: string[] = [];
  /** What is opened. */
  data = join(this.folder, 'things');

  constructor() {
    mkdirSync(this.data);
  }

  open(more: DataOptions = {}): Promise<Dataset> {
    return openDataset(this.data, {
      cacheDirectory: join(this.folder, 'cache'),
      onWarning: ({ code, message }) => this.warnings.push(`${code}: ${message}`),
      ...more,
    });
  }

  /** @param text of the error; DIR stands for the path of the data */
  async expectFailure(text: string, more: DataOptions = {}): Promise<void> {
    await expect(this.open(more)).rejects.toThrow(text.replaceAll('DIR', this.data));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
