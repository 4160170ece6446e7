/** A node's copy of the state: both versions of it, of the optimizer's slots and of the moving average, in the arena. */
import { assert } from '@lockstep/core/errors';
import { type ContributionLayout, type ModelState, unpackState } from '@lockstep/core/run';
import type { NodeSnapshot } from '@lockstep/core/seams';
import { type MemoryPlan, viewFloats } from '../plan/memory-plan.js';

export class Replica {
  constructor(
    private readonly layout: ContributionLayout,
    private readonly memory: MemoryPlan,
    private readonly arena: Float32Array,
  ) {}

  /** Begins a run; the slots are zero, in memory that is not touched before it is needed. */
  begin(state: Float32Array): void {
    this.#write((version) => this.memory.stateAt(version), state);
    if (this.memory.hasAverage) this.#write((version) => this.memory.averageAt(version), state);
  }

  /** A copy of the state after so many steps. */
  readState(step: number): ModelState {
    return unpackState(this.layout, this.#vector(this.memory.stateAt(step % 2)));
  }

  readAverage(step: number): ModelState | undefined {
    if (!this.memory.hasAverage) return undefined;
    return unpackState(this.layout, this.#vector(this.memory.averageAt(step % 2)));
  }

  /** A copy of everything after so many steps. */
  read(step: number): Omit<NodeSnapshot, 'results'> {
    const { memory } = this;
    const version = step % 2;
    const copy = (unit: number): Float32Array => Float32Array.from(this.#vector(unit));
    return {
      step,
      state: copy(memory.stateAt(version)),
      slots: this.#slots.map((slot) => copy(memory.slotAt(slot, version))),
      ...(memory.hasAverage && { average: copy(memory.averageAt(version)) }),
    };
  }

  restore({ state, slots, average }: NodeSnapshot): void {
    const { layout, memory } = this;
    for (const vector of [state, ...slots, average ?? state]) {
      assert(vector.length === layout.length, () => `a vector of ${vector.length} floats, expected ${layout.length}`);
    }
    const count = this.#slots.length;
    assert(slots.length === count, () => `${slots.length} optimizer slots, expected ${count}`);
    this.#write((version) => memory.stateAt(version), state);
    for (const slot of this.#slots) {
      this.#write((version) => memory.slotAt(slot, version), slots[slot - 1] as Float32Array);
    }
    if (memory.hasAverage) this.#write((version) => memory.averageAt(version), average ?? state);
  }

  /** Into both versions: what is frozen is never written again, and must be the same in both. */
  #write(at: (version: number) => number, values: Float32Array): void {
    for (const version of [0, 1]) this.#vector(at(version)).set(values);
  }

  #vector(unit: number): Float32Array {
    return viewFloats(this.arena, unit, this.layout.length);
  }

  get #slots(): (1 | 2)[] {
    return ([1, 2] as const).filter((slot) => slot <= this.memory.slotCount);
  }
}
