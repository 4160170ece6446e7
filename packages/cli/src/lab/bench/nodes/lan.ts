/**
 * Machines of a LAN on this one: network namespaces behind a bridge, each with a cable of its own that may be capped in
 * both directions. Needs root and iproute2.
 *
 *   this process --cable-- [bridge] --cable-- namespace 1
 *                             +-------cable-- namespace 2 ...
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { cleanUpAtExit } from '../../measure-each.js';

/** Of this process: several may have a LAN at a time. */
const SUBNET = `10.${200 + (Math.floor(process.pid / 256) % 50)}.${process.pid % 256}`;
/** Cables there can be: the addresses of the subnet. */
const MOST_MACHINES = 200;
/** What a capped cable lets through at once after a rest: little of what a step sends, and no less than a few packets. */
const BURST_SECONDS = 0.0006;
const LEAST_BURST_BYTES = 5000;
/** Opened by this process so far: two at a time must not share a name. */
let opened = 0;

export class Lan {
  /** Of this process. */
  readonly address = `${SUBNET}.1`;
  /** This process's end of its cable. */
  readonly device: string;
  readonly #name: string;

  private constructor(readonly machines: number) {
    this.#name = `lockstep${process.pid}-${opened++}`;
    this.device = this.#end(0);
  }

  /**
   * Opens one; undefined where this is not possible.
   *
   * @param machines beside this process
   * @param megabits of each cable, each way; undefined: as fast as it goes
   */
  static open(machines: number, megabits: number | undefined): Lan | undefined {
    if (userInfo().uid !== 0 || machines > MOST_MACHINES || spawnSync('ip', ['-V']).status !== 0) return undefined;
    const lan = new Lan(machines);
    if (lan.#commands(megabits).every(([command = '', ...args]) => spawnSync(command, args).status === 0)) return lan;
    lan.close();
    return undefined;
  }

  /** Goes before a command that is to run on a machine, from 1. */
  prefix(machine: number): string[] {
    return ['ip', 'netns', 'exec', this.#space(machine)];
  }

  /** Bytes that this process's cable has carried in the busier direction, with the headers of every protocol. */
  countBytes(): number {
    const read = (name: string): number =>
      Number(readFileSync(`/sys/class/net/${this.device}/statistics/${name}_bytes`, 'utf8'));
    return Math.max(read('tx'), read('rx'));
  }

  /** Cables and the bridge go with the namespaces. */
  readonly close = cleanUpAtExit(() => {
    for (let machine = 0; machine <= this.machines; machine++) spawnSync('ip', ['netns', 'del', this.#space(machine)]);
  });

  /** Namespace 0 holds the bridge. */
  #space(machine: number): string {
    return `${this.#name}-${machine}`;
  }

  /** A machine's end of its cable; at most 15 characters. */
  #end(machine: number): string {
    return `ls${process.pid % 1e6}${opened % 36}m${machine}`;
  }

  #commands(megabits: number | undefined): string[][] {
    const bridge = this.#space(0);
    return [
      ['ip', 'netns', 'add', bridge],
      ['ip', '-n', bridge, 'link', 'add', 'name', 'bridge0', 'type', 'bridge'],
      ['ip', '-n', bridge, 'link', 'set', 'bridge0', 'up'],
      ...Array.from({ length: this.machines + 1 }, (_, machine) => this.#cable(machine, megabits)).flat(),
    ];
  }

  #cable(machine: number, megabits: number | undefined): string[][] {
    const [end, plug, bridge] = [this.#end(machine), `plug${machine}`, this.#space(0)];
    const isHere = machine === 0;
    const inside = (...args: string[]): string[] =>
      isHere ? ['ip', ...args] : ['ip', '-n', this.#space(machine), ...args];
    const burst = Math.max(LEAST_BURST_BYTES, BURST_SECONDS * (1e6 / 8) * (megabits ?? 0));
    const shape = ['root', 'tbf', 'rate', `${megabits}mbit`, 'burst', String(Math.round(burst)), 'latency', '50ms'];
    const at = (space: string): string[] => ['ip', 'netns', 'exec', space];
    return [
      ...(isHere ? [] : [['ip', 'netns', 'add', this.#space(machine)]]),
      ['ip', 'link', 'add', end, 'type', 'veth', 'peer', 'name', plug, 'netns', bridge],
      ['ip', '-n', bridge, 'link', 'set', plug, 'master', 'bridge0'],
      ['ip', '-n', bridge, 'link', 'set', plug, 'up'],
      ...(isHere ? [] : [['ip', 'link', 'set', end, 'netns', this.#space(machine)], inside('link', 'set', 'lo', 'up')]),
      inside('addr', 'add', `${SUBNET}.${machine + 1}/24`, 'dev', end),
      inside('link', 'set', end, 'up'),
      ...(megabits === undefined
        ? []
        : [
            [...(isHere ? [] : at(this.#space(machine))), 'tc', 'qdisc', 'add', 'dev', end, ...shape],
            [...at(bridge), 'tc', 'qdisc', 'add', 'dev', plug, ...shape],
          ]),
    ];
  }
}
