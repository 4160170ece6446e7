/** Flags of `lockstep simulate` and what they come to. */
import type { Topology } from '@lockstep/coordinator/steps';
import { topologyNames } from '../../fields/cluster-fields.js';
import { jsonField } from '../../fields/common-fields.js';
import { type Field, fieldsIn, isOneOf, isWholeNumber, optionError } from '../../fields/field.js';
import { getPath, readChecked } from '../../settings/setting-source.js';

export const DEFAULT_CALIBRATION = 'calibration.json';
/** `auto` is a star, but for two nodes. */
const DEFAULT_TOPOLOGIES = 'star,mesh,hierarchical';
const DEFAULT_NODES = '1..128';
const DEFAULT_LINK = '1G';
const DEFAULT_LATENCY = '50us';
const MOST_NODES = 65_536;

const { text, number } = fieldsIn('Run');

export const simulateFields: readonly Field[] = [
  text('--model <name>', 'model', 'one that was calibrated', { defaultText: 'every one that was' }),
  text('--nodes <range>', 'nodes', 'numbers of nodes: a range in powers of two, or numbers with commas', {
    defaultText: DEFAULT_NODES,
  }),
  text('--link <range>', 'link', "speed of each node's cable, bit/s each way", { defaultText: DEFAULT_LINK }),
  text('--latency <time>', 'latency', 'of the network, one way: 50us, 1ms', { defaultText: DEFAULT_LATENCY }),
  text('--topology <names>', 'topology', 'how sums travel', { defaultText: DEFAULT_TOPOLOGIES }),
  number('--group-size <n>', 'groupSize', 'nodes of a group, for hierarchical', {
    defaultText: 'as in a run: about the square root of all',
    check: isWholeNumber(2, MOST_NODES),
  }),
  number('--batch-size <n>', 'batchSize', 'images per step, whatever the number of nodes', {
    defaultText: '128 for each node',
    check: isWholeNumber(1, 2 ** 30),
  }),
  number('--threads <n>', 'threads', 'of each node', {
    defaultText: 'the most that were calibrated',
    check: isWholeNumber(1, 1024),
  }),
  text('--calibration <file>', 'calibration', 'what `lockstep bench calibrate` has measured', {
    defaultText: DEFAULT_CALIBRATION,
  }),
  fieldsIn('Output').written('--picture <file>', 'picture', 'draw speed-up and efficiency here (.svg)'),
  jsonField,
];

export interface SimulateSettings {
  readonly model: string | undefined;
  readonly nodes: readonly number[];
  readonly bitsPerSecond: readonly number[];
  /** Seconds. */
  readonly latency: number;
  readonly topologies: readonly Topology[];
  readonly groupSize: number | undefined;
  readonly batchSize: number | undefined;
  readonly threads: number | undefined;
  readonly calibration: string;
  readonly picture: string | undefined;
  readonly json: boolean;
}

/** @throws LockstepError LOCKSTEP_CLI_OPTION for a flag that is wrong */
export function resolveSimulate(options: Readonly<Record<string, unknown>>): SimulateSettings {
  const flags = readChecked(simulateFields, options);
  const value = (name: string): unknown => getPath(flags.values, [name]);
  const read = <T>(name: string, standard: string, parse: (text: string) => T): T => {
    return parse((value(name) as string | undefined) ?? standard);
  };
  return {
    model: value('model') as string | undefined,
    nodes: read('nodes', DEFAULT_NODES, readNodes),
    bitsPerSecond: read('link', DEFAULT_LINK, readLinks),
    latency: read('latency', DEFAULT_LATENCY, readTime),
    topologies: read('topology', DEFAULT_TOPOLOGIES, readTopologies),
    groupSize: value('groupSize') as number | undefined,
    batchSize: value('batchSize') as number | undefined,
    threads: value('threads') as number | undefined,
    calibration: (value('calibration') as string | undefined) ?? DEFAULT_CALIBRATION,
    picture: value('picture') as string | undefined,
    json: value('json') === true,
  };
}

/** `1..4096` is 1, 2, 4, ... 4096; `1,3,100` is that. */
export function readNodes(value: string): number[] {
  const bad = optionError(`--nodes ${value}: must be a range such as 1..4096, or whole numbers up to ${MOST_NODES}`);
  const [from, to, rest] = value.split('..').map((part) => part.trim());
  if (rest !== undefined) throw bad;
  if (to === undefined)
    return value
      .split(',')
      .map((part) => readCount(part, bad))
      .sort((a, b) => a - b);
  const [first, last] = [readCount(from ?? '', bad), readCount(to, bad)];
  if (first > last) throw bad;
  const powers = Array.from({ length: 17 }, (_, power) => 2 ** power).filter((n) => n > first && n < last);
  return [...new Set([first, ...powers, last])];
}

function readCount(text: string, bad: Error): number {
  const count = /^\d{1,5}$/.test(text.trim()) ? Number(text) : 0;
  if (count < 1 || count > MOST_NODES) throw bad;
  return count;
}

/** Ethernet and InfiniBand as they are sold, for ranges. */
const STANDARD_LINKS = [10e6, 100e6, 1e9, 2.5e9, 10e9, 25e9, 40e9, 100e9, 200e9, 400e9, 800e9];
const UNITS: Readonly<Record<string, number>> = { M: 1e6, G: 1e9, T: 1e12 };

/** `1G`, `1G,25G`, or `1G..400G`: what there is from here to there. */
export function readLinks(value: string): number[] {
  const bad = optionError(`--link ${value}: must be speeds such as 100M, 1G or 1G..400G`);
  const [from, to, rest] = value.split('..');
  if (rest !== undefined) throw bad;
  if (to === undefined) return value.split(',').map((part) => readSpeed(part, bad));
  const [first, last] = [readSpeed(from ?? '', bad), readSpeed(to, bad)];
  if (first > last) throw bad;
  return [...new Set([first, ...STANDARD_LINKS.filter((speed) => speed > first && speed < last), last])];
}

function readSpeed(text: string, bad: Error): number {
  const [, number, unit] = /^(\d{1,6}(?:\.\d{1,3})?)([MGT])$/i.exec(text.trim()) ?? [];
  const speed = Number(number) * (UNITS[unit?.toUpperCase() ?? ''] ?? Number.NaN);
  if (!(speed > 0)) throw bad;
  return speed;
}

const TIMES: Readonly<Record<string, number>> = { us: 1e-6, ms: 1e-3, s: 1 };

export function readTime(value: string): number {
  const [, number, unit] = /^(\d{1,6}(?:\.\d{1,3})?)(us|ms|s)$/.exec(value.trim()) ?? [];
  if (unit === undefined) throw optionError(`--latency ${value}: must be a time such as 50us or 1ms`);
  return Number(number) * (TIMES[unit] as number);
}

function readTopologies(value: string): Topology[] {
  const names = value.split(',').map((name) => name.trim());
  for (const name of names) {
    const allowed = isOneOf(...topologyNames)(name);
    if (allowed !== undefined) throw optionError(`--topology ${value}: ${allowed}`);
  }
  return names as Topology[];
}
