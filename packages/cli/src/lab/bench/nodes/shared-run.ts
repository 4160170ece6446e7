/** A run that nodes share, each in a process of its own on this machine, in network namespaces where that is possible. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Topology } from '@lockstep/coordinator/steps';
import { heldEnvironment, MeasuredRun, type RunTask, type Slice } from '../measure/measured-run.js';
import { DelayedLinks } from './delayed-links.js';
import { Lan } from './lan.js';
import { OwnCores } from './own-cores.js';

export interface SharedRunPlan {
  /** Of which the first coordinates, and computes too. */
  readonly nodes: number;
  /** Of each node. */
  readonly threads: number;
  readonly topology: Topology;
  /** Whether they speak over loopback; else over cables of their own, if there can be such. */
  readonly isLoopback?: boolean;
  /** Of each cable, each way; undefined: as fast as it goes. */
  readonly megabits?: number | undefined;
  /** Of each link, one way, over loopback; undefined: none but its own. */
  readonly delayMs?: number | undefined;
  /** Whether each node stays on cores of its own, as many as it has threads, if there are so many. */
  readonly ownCores: boolean;
  /** Whether it is measured before it is held for the first time too. */
  readonly isSteadyMeasured?: boolean;
}

const BIN = fileURLToPath(new URL('../../../bin.js', import.meta.url));

export class SharedRun {
  /** The second half of its first seconds, if the plan asks for it. */
  steady: Slice | undefined;
  #delayed: DelayedLinks | undefined;

  private constructor(
    private readonly run: MeasuredRun,
    private readonly lan: Lan | undefined,
    private readonly folder: string,
  ) {}

  /**
   * Starts it, lets it go for so many seconds, and holds it.
   *
   * @returns undefined where the link cannot be had
   */
  static async start(
    task: Pick<RunTask, 'model' | 'recipe' | 'data'>,
    plan: SharedRunPlan,
    warmSeconds: number,
  ): Promise<SharedRun | undefined> {
    const { nodes, threads, topology, megabits, delayMs } = plan;
    const lan = plan.isLoopback || delayMs !== undefined ? undefined : Lan.open(nodes - 1, megabits);
    // loopback has no cap to set
    if (!lan && megabits !== undefined) return undefined;
    const folder = mkdtempSync(path.join(tmpdir(), 'lockstep-bench-'));
    const token = randomBytes(32).toString('hex');
    writeFileSync(path.join(folder, 'token'), token, { mode: 0o600 });
    const cluster = { host: lan?.address ?? '127.0.0.1', topology, nodes, token };
    const run = new MeasuredRun({ ...task, workers: threads, cluster }, lan && (() => lan.countBytes()));
    const shared = new SharedRun(run, lan, folder);
    try {
      const cores = plan.ownCores ? OwnCores.find(nodes, threads) : undefined;
      cores?.take(0, run.pid);
      const url = await Promise.race([run.url, run.failure]);
      if (delayMs !== undefined && !(await shared.#delay(url, nodes - 1, delayMs))) {
        shared.end();
        return undefined;
      }
      for (let node = 1; node < nodes; node++) {
        const prefix = [...(lan?.prefix(node) ?? []), ...(cores?.prefix(node) ?? [])];
        shared.#spawnNode(node, url, threads, prefix);
      }
      if (plan.isSteadyMeasured) shared.steady = await run.startSteady(warmSeconds);
      else await run.start(warmSeconds);
      return shared;
    } catch (error) {
      shared.end();
      throw error;
    }
  }

  /** Whether it could be done. */
  async #delay(url: string, nodes: number, delayMs: number): Promise<boolean> {
    this.#delayed = await DelayedLinks.open({ coordinatorPort: Number(new URL(url).port), nodes, delayMs });
    return this.#delayed !== undefined;
  }

  #spawnNode(node: number, url: string, threads: number, prefix: readonly string[]): void {
    const ports = this.#delayed?.portsOf(node);
    const connect = ports ? `ws://127.0.0.1:${ports.urlPort}` : url;
    const mesh = ports ? `127.0.0.1:${ports.meshPort}` : '0.0.0.0:0';
    const flags = ['--connect', connect, '--threads', String(threads), '--token-file', path.join(this.folder, 'token')];
    const words = [...prefix, process.execPath, BIN, 'worker', ...flags, '--mesh-listen', mesh];
    const [file = '', ...args] = words;
    this.run.add(spawn(file, args, { stdio: 'ignore', env: heldEnvironment() }));
  }

  get link(): 'namespace' | 'loopback' | 'relay' {
    if (this.#delayed) return 'relay';
    return this.lan ? 'namespace' : 'loopback';
  }

  measure(seconds: number): Promise<Slice> {
    return this.run.measure(seconds);
  }

  end(): void {
    this.run.end();
    this.#delayed?.close();
    this.lan?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
