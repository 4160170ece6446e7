/** LOCKSTEP_SEED; without it the one that a test usually has. For what is drawn without fast-check. */
export const seedOr = (usual: number): number => Number(process.env['LOCKSTEP_SEED'] ?? usual);

/** A small generator, so that a seed tells the whole story (mulberry32). */
export function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}
