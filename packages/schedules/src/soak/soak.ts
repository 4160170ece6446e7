/** Many schedules, in processes that share nothing: what fails is told, and the others go on. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Topology } from '@lockstep/coordinator/steps';
import type { PlanKind } from '../schedule/plan.js';
import { type Counted, Tally } from './tally.js';

/** Schedules that a process is given at a time. */
const PORTION = 200;
/** A process that tells nothing for so long is in a loop in which no simulated time passes: a schedule takes milliseconds. */
const STANDSTILL_MS = 300_000;

export interface Portion {
  readonly first: number;
  readonly last: number;
  readonly topology: Topology | undefined;
  readonly kind: PlanKind;
}

export interface SoakOptions extends Portion {
  readonly processes: number;
  /** Ends it early. */
  readonly signal: AbortSignal;
  /** How long a process may tell nothing. */
  readonly standstillMs?: number;
  /** A schedule did not end as it has to. */
  onFailure(text: string): void;
}

/** How a seed is seen again, step by step. */
const replayOf = (seed: number, { topology, kind }: Portion): string =>
  `npm run schedules -- --seeds ${seed}${topology === undefined ? '' : ` --topology ${topology}`}${kind === 'any' ? '' : ` --${kind}`}`;

export class Soak {
  readonly tally = new Tally();
  #next: number;

  constructor(private readonly options: SoakOptions) {
    this.#next = options.first;
  }

  /** Resolves when all schedules have happened, or when it is ended early. */
  async run(): Promise<void> {
    await Promise.all(Array.from({ length: this.options.processes }, () => this.#feed()));
  }

  /** Gives portions to a process until there are none; to another one where it dies. */
  async #feed(): Promise<void> {
    const { signal } = this.options;
    let portion = this.#takePortion();
    while (portion && !signal.aborted) {
      const left = await this.#serve(portion);
      portion = left ?? this.#takePortion();
    }
  }

  #takePortion(): Portion | undefined {
    const { last, topology, kind } = this.options;
    const first = this.#next;
    if (first > last) return undefined;
    this.#next = Math.min(last + 1, first + PORTION);
    return { first, last: this.#next - 1, topology, kind };
  }

  /**
   * A process's life.
   *
   * @returns what it left of its portion when it died at a seed, which counts as failed; undefined when nothing is left
   */
  #serve(portion: Portion): Promise<Portion | undefined> {
    const { signal, standstillMs = STANDSTILL_MS } = this.options;
    const child = fork(fileURLToPath(new URL('./process.js', import.meta.url)), {
      execArgv: [],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const end = (): void => void child.kill('SIGKILL');
    signal.addEventListener('abort', end);
    const watch = setTimeout(end, standstillMs);
    return new Promise<Portion | undefined>((resolve) => {
      let at: Portion | undefined = portion;
      const give = (): void => {
        if (at) child.send(at);
        else child.disconnect();
      };
      child.on('message', (said: Counted | 'done') => {
        watch.refresh();
        if (said === 'done') {
          at = this.#takePortion();
          give();
        } else if (at) {
          at = { ...at, first: said.seed + 1 };
          this.#take(said);
        }
      });
      child.on('exit', (code, killedBy) => resolve(this.#afterDeath(at, code, killedBy)));
      give();
    }).finally(() => {
      clearTimeout(watch);
      signal.removeEventListener('abort', end);
    });
  }

  #take(counted: Counted): void {
    this.tally.add(counted);
    if (counted.fault !== undefined) this.#fail(`${replayOf(counted.seed, this.options)}: ${counted.fault}`);
  }

  #afterDeath(at: Portion | undefined, code: number | null, killedBy: NodeJS.Signals | null): Portion | undefined {
    if (at === undefined || this.options.signal.aborted) return undefined;
    this.#fail(`${replayOf(at.first, at)}: its process ended with ${killedBy ?? `code ${code}`}`);
    return at.first < at.last ? { ...at, first: at.first + 1 } : undefined;
  }

  #fail(text: string): void {
    this.tally.failures.push(text);
    this.options.onFailure(text);
  }
}
