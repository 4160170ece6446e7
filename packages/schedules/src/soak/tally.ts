/** What came of many schedules, added up. */
import type { Topology } from '@lockstep/coordinator/steps';
import { fixed, formatCount, formatCountOf } from '@lockstep/core/text';

/** What one schedule adds. */
export interface Counted {
  readonly seed: number;
  readonly topology: Topology;
  readonly events: number;
  readonly simulatedMs: number;
  readonly cpuMs: number;
  readonly injected: Readonly<Record<string, number>>;
  /** What did not hold, in one line. */
  readonly fault?: string | undefined;
}

export class Tally {
  /** Seeds that did not end as they have to, and what was seen. */
  readonly failures: string[] = [];
  count = 0;
  #events = 0;
  #simulatedMs = 0;
  #cpuMs = 0;
  readonly #topologies = new Map<Topology, { count: number; cpuMs: number }>();
  readonly #injected = new Map<string, number>();

  add({ topology, events, simulatedMs, cpuMs, injected }: Counted): void {
    this.count++;
    this.#events += events;
    this.#simulatedMs += simulatedMs;
    this.#cpuMs += cpuMs;
    const of = this.#topologies.get(topology) ?? { count: 0, cpuMs: 0 };
    this.#topologies.set(topology, { count: of.count + 1, cpuMs: of.cpuMs + cpuMs });
    for (const [kind, times] of Object.entries(injected))
      this.#injected.set(kind, (this.#injected.get(kind) ?? 0) + times);
  }

  /** Lines for people: how many of what there were, without the failures. */
  describe(): string[] {
    const topologies = [...this.#topologies].sort(([a], [b]) => (a < b ? -1 : 1));
    const injected = [...this.#injected].sort(([, a], [, b]) => b - a);
    const of = topologies.map(([name, { count, cpuMs }]) => {
      return `${name} ${formatCount(count)} (${fixed(cpuMs / count, 1)} ms of CPU each)`;
    });
    const hours = fixed(this.#simulatedMs / 3_600_000, 2);
    return [
      `${formatCountOf(this.count, 'schedule')}: ${of.join(', ')}`,
      `${formatCountOf(this.#events, 'event')}, ${hours} simulated hours, ${fixed(this.#cpuMs / 1000, 0)} s of CPU`,
      `faults: ${injected.map(([kind, times]) => `${kind} ${formatCount(times)}`).join(', ') || 'none'}`,
    ];
  }
}
