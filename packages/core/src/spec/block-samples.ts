/** Samples that kernels compute side by side. A shard is some whole blocks. */
export const BLOCK_SAMPLES = 16;
