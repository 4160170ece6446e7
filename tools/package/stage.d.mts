import type { Build } from './own-builds.mjs';

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly engines: { readonly node: string };
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

export function stagePackage(root: string, folder: string, prebuilds: readonly Build[]): Manifest;
