/**
 * Addresses that broke the rules. Each may do so a few times at once and now and then after that; beyond it the
 * address is not answered, so that whoever sends rubbish as fast as it can takes next to nothing of the run's time.
 */
export const offenceLimits = {
  /** At once. */
  most: 8,
  /** Of them forgiven in a second. */
  forgivenPerSecond: 1,
  /** Addresses that are remembered. */
  addresses: 1024,
} as const;

interface Offences {
  readonly count: number;
  readonly atMs: number;
}

export class Offenders {
  /** The one that broke a rule last stands last. */
  readonly #offences = new Map<string, Offences>();

  add(address: string, nowMs: number): void {
    const count = this.#countAt(address, nowMs) + 1;
    this.#offences.delete(address);
    this.#offences.set(address, { count, atMs: nowMs });
    if (this.#offences.size <= offenceLimits.addresses) return;
    const [oldest] = this.#offences.keys();
    this.#offences.delete(oldest as string);
  }

  /** Whether the address is not to be answered for now. */
  isShutOut(address: string, nowMs: number): boolean {
    return this.#countAt(address, nowMs) > offenceLimits.most - 1;
  }

  #countAt(address: string, nowMs: number): number {
    const offences = this.#offences.get(address);
    if (offences === undefined) return 0;
    const forgiven = ((nowMs - offences.atMs) / 1000) * offenceLimits.forgivenPerSecond;
    return Math.max(0, offences.count - forgiven);
  }
}
