/**
 * Slurm's node lists: `n[1-3,7],m05` is n1, n2, n3, n7, m05. Several brackets in a name multiply: `rack[0-1]n[1-2]` is
 * rack0n1, rack0n2, rack1n1, rack1n2. A range keeps the leading zeros of its lower end: `[08-11]` is 08, 09, 10, 11.
 * (slurm.conf(5), NodeName; checked against `scontrol show hostnames` in test/clusters/slurm.slow.test.ts.)
 */
import { LockstepError } from '@lockstep/core/errors';

/** Slurm's own limit (MAX_SLURM_NODES of hostlist.c): a mistyped range must not fill the memory. */
const MOST_NODES = 65_536;

/**
 * The names that a node list stands for, in its order, doubles included.
 *
 * @throws LockstepError LOCKSTEP_LAUNCH_NODES
 */
export function expandNodeList(list: string): string[] {
  const names: string[] = [];
  for (const entry of splitOutsideBrackets(list)) {
    names.push(...expandEntry(entry, list));
    if (names.length > MOST_NODES) throw nodesError(list, `has more than ${MOST_NODES} names`);
  }
  if (names.length === 0) throw nodesError(list, 'has no name');
  return names;
}

/** Entries are separated by commas or white space; empty ones do not count. */
function splitOutsideBrackets(list: string): string[] {
  return (list.match(/(?:\[[^\]]*\]|[^,\s[])+|\[/g) ?? []).filter((entry) => entry !== '');
}

function expandEntry(entry: string, list: string): string[] {
  let names = [''];
  for (const part of entry.split(/(\[[^\]]*\])/)) {
    if (part === '') continue;
    const choices = part.startsWith('[') && part.endsWith(']') ? expandBrackets(part.slice(1, -1), list) : [part];
    if (choices.some((choice) => /[[\]]/.test(choice))) throw nodesError(list, `has a bracket that is not closed`);
    if (names.length * choices.length > MOST_NODES) throw nodesError(list, `has more than ${MOST_NODES} names`);
    names = names.flatMap((name) => choices.map((choice) => name + choice));
  }
  return names;
}

const expandBrackets = (ranges: string, list: string): string[] =>
  ranges.split(',').flatMap((range) => expandRange(range, list));

function expandRange(range: string, list: string): string[] {
  const [, lower, upper] = /^\s*(\d{1,15})\s*(?:-\s*(\d{1,15})\s*)?$/.exec(range) ?? [];
  if (lower === undefined) throw nodesError(list, `has ${JSON.stringify(range)} where a range such as 1-3 should be`);
  const first = Number(lower);
  const last = Number(upper ?? lower);
  if (last < first) throw nodesError(list, `has the range ${range}, which ends before it begins`);
  if (last - first >= MOST_NODES) throw nodesError(list, `has more than ${MOST_NODES} names`);
  return Array.from({ length: last - first + 1 }, (_, index) => String(first + index).padStart(lower.length, '0'));
}

const nodesError = (list: string, reason: string): LockstepError =>
  new LockstepError(
    'LOCKSTEP_LAUNCH_NODES',
    `the node list ${JSON.stringify(list)} ${reason}. Give rank 0's machine yourself: LOCKSTEP_COORDINATOR=host:port.`,
  );
