import type { Build } from './own-builds.mjs';

export function buildPrebuilds(
  root: string,
  platforms?: readonly string[],
  options?: { readonly signal?: AbortSignal },
): Promise<Build[]>;
