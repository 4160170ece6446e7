/** A second machine on this one: a network namespace behind a virtual link, which may be capped. Needs root and iproute2. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';

/** Of this process, apart from those of lan.ts: several may have a link at a time. */
const SUBNET = `10.${150 + (Math.floor(process.pid / 256) % 50)}.${process.pid % 256}`;

export class LinkNamespace {
  /** Of this side. */
  readonly address = `${SUBNET}.1`;
  /** Goes before a command that is to run on the other side. */
  readonly prefix: readonly string[];

  private constructor(
    private readonly name: string,
    /** The end of the link on this side. */
    readonly device: string,
  ) {
    this.prefix = ['ip', 'netns', 'exec', name];
  }

  /**
   * Opens one; undefined where this is not possible.
   *
   * @param megabits of the link, each way; undefined: as fast as it goes
   */
  static open(megabits: number | undefined): LinkNamespace | undefined {
    if (userInfo().uid !== 0 || spawnSync('ip', ['-V']).status !== 0) return undefined;
    const name = `lockstep${process.pid}`;
    const [near, far] = [`lsa${process.pid % 100_000}`, `lsb${process.pid % 100_000}`];
    const inside = (...args: string[]): string[] => ['netns', 'exec', name, ...args];
    const steps: (readonly [string, string[]])[] = [
      ['ip', ['netns', 'add', name]],
      ['ip', ['link', 'add', near, 'type', 'veth', 'peer', 'name', far]],
      ['ip', ['link', 'set', far, 'netns', name]],
      ['ip', ['addr', 'add', `${SUBNET}.1/24`, 'dev', near]],
      ['ip', ['link', 'set', near, 'up']],
      ['ip', inside('ip', 'addr', 'add', `${SUBNET}.2/24`, 'dev', far)],
      ['ip', inside('ip', 'link', 'set', far, 'up')],
      ['ip', inside('ip', 'link', 'set', 'lo', 'up')],
    ];
    if (megabits !== undefined) {
      const shape = ['root', 'tbf', 'rate', `${megabits}mbit`, 'burst', '512kb', 'latency', '50ms'];
      steps.push(
        ['tc', ['qdisc', 'add', 'dev', near, ...shape]],
        ['ip', inside('tc', 'qdisc', 'add', 'dev', far, ...shape)],
      );
    }
    const namespace = new LinkNamespace(name, near);
    if (steps.every(([command, args]) => spawnSync(command, args).status === 0)) return namespace;
    namespace.close();
    return undefined;
  }

  /** Bytes that the link has carried, each way, with the headers of every protocol. */
  countBytes(): { readonly sent: number; readonly received: number } {
    const read = (name: string): number =>
      Number(readFileSync(`/sys/class/net/${this.device}/statistics/${name}_bytes`, 'utf8'));
    return { sent: read('tx'), received: read('rx') };
  }

  /** The virtual link goes with the namespace. */
  close(): void {
    spawnSync('ip', ['netns', 'del', this.name]);
  }
}
