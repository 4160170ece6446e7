/** Assignments that nodes were told, and what they have said of them since. */
import type { Assignment } from '@lockstep/core/wire';

/** That of the step which is under way, and of those beside it: nodes may be one ahead, and what they say comes later. */
const REMEMBERED = 4;

export interface ToldStep {
  readonly assignment: Assignment;
  /** When nodes were told; from when the attempt began here, that. */
  beganMs: number;
  /** Until when a node was known to compute its shards. */
  readonly atWorkMs: Map<number, number>;
  /** Nodes that have computed their shards, and when that was known here. */
  readonly contributedMs: Map<number, number>;
  /** Nodes that have applied the step, with the hash of their state if it was asked for. */
  readonly applied: Map<number, string | undefined>;
}

export class ToldSteps {
  readonly #steps = new Map<number, ToldStep>();

  note(assignment: Assignment): ToldStep {
    const known = { atWorkMs: new Map(), contributedMs: new Map(), applied: new Map() };
    const step: ToldStep = { assignment, beganMs: performance.now(), ...known };
    this.#steps.set(assignment.generation, step);
    for (const generation of this.#steps.keys()) {
      if (this.#steps.size <= REMEMBERED) break;
      this.#steps.delete(generation);
    }
    return step;
  }

  /** Undefined for what is long past. */
  find(generation: number): ToldStep | undefined {
    return this.#steps.get(generation);
  }
}
