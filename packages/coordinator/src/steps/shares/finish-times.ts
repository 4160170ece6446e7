/** When nodes are done with shards of which each goes to whoever would finish it first. Speeds are positive and finite. */

/** Finishes that are as near to each other, relatively, count as one. */
const NEAR = 1e-9;

/** Nodes of one speed are counted together: thousands of equal ones cost as much as two. */
export class FinishTimes {
  readonly #nodes = new Map<number, number>();

  constructor(speeds: readonly number[]) {
    for (const speed of speeds) this.#nodes.set(speed, (this.#nodes.get(speed) ?? 0) + 1);
  }

  /** Leaves out a node of this speed. */
  remove(speed: number): void {
    const left = (this.#nodes.get(speed) ?? 0) - 1;
    if (left > 0) this.#nodes.set(speed, left);
    else this.#nodes.delete(speed);
  }

  /** Shards that all nodes together can finish by then. */
  doneBy(time: number): number {
    let shards = 0;
    for (const [speed, count] of this.#nodes) shards += count * finished(speed, time);
    return shards;
  }

  /** When so many shards are done. */
  timeFor(shards: number): number {
    if (shards === 0) return 0;
    let [speeds, nodes] = [0, 0];
    for (const [speed, count] of this.#nodes) {
      speeds += count * speed;
      nodes += count;
    }
    // all but the whole shards of each node are done in proportion
    let early = (shards / speeds) * (1 - 2 * NEAR);
    let late = ((shards + nodes) / speeds) * (1 + NEAR);
    while (late - early > NEAR * late) {
      const middle = (early + late) / 2;
      if (this.doneBy(middle) >= shards) late = middle;
      else early = middle;
    }
    return late;
  }
}

/** Whole shards that a node has finished by then. */
export const finished = (speed: number, time: number): number => Math.floor(speed * time * (1 + NEAR));

/** Shards of each node. Of nodes that would be done at the same time those before come first. */
export function dealCounts(shards: number, speeds: readonly number[]): number[] {
  const time = new FinishTimes(speeds).timeFor(shards);
  const counts = speeds.map((speed) => finished(speed, time));
  let excess = counts.reduce((sum, count) => sum + count, 0) - shards;
  for (let node = speeds.length - 1; excess > 0; node--) {
    const isLast = (counts[node] as number) > finished(speeds[node] as number, time * (1 - 4 * NEAR));
    if (!isLast) continue;
    counts[node] = (counts[node] as number) - 1;
    excess--;
  }
  return counts;
}
