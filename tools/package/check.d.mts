import type { Manifest } from './stage.mjs';

export function findFaults(folder: string, manifest: Manifest, where: { readonly modules: string }): string[];
