/** Cores of its own for each node of a run on this machine, as machines of their own have them. Needs Linux's taskset. */
import { spawnSync } from 'node:child_process';

const taskset = (...args: string[]) => spawnSync('taskset', args, { encoding: 'utf8' });

export class OwnCores {
  private constructor(
    private readonly all: readonly number[],
    private readonly threads: number,
  ) {}

  /** Undefined where so many nodes with so many threads each don't get cores of their own. */
  static find(nodes: number, threads: number): OwnCores | undefined {
    const { status, stdout } = taskset('-c', '-p', String(process.pid));
    if (status !== 0) return undefined;
    const all = parseList(stdout.slice(stdout.lastIndexOf(':') + 1));
    return nodes * threads <= all.length ? new OwnCores(all, threads) : undefined;
  }

  /** Goes before a command that is to run on the cores of a node, from 0. */
  prefix(node: number): string[] {
    return ['taskset', '-c', this.#coresOf(node)];
  }

  /** The threads of a process, and those that they start, stay on the cores of a node. */
  take(node: number, pid: number): void {
    taskset('-a', '-p', '-c', this.#coresOf(node), String(pid));
  }

  #coresOf(node: number): string {
    return this.all.slice(node * this.threads, (node + 1) * this.threads).join(',');
  }
}

/** The numbers of `0,2-4`. */
function parseList(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [first = Number.NaN, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
