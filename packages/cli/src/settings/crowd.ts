/** More threads than cores. */
import { countOf } from '@lockstep/core/text';
import { type Io, writeLine } from '../terminal/io.js';

/** So many threads a core still get their turns in time; tests of many workers on few cores are none to warn of. */
const MOST_PER_CORE = 4;

/** Says that a number of threads is no help, where it is far beyond the cores. */
export function noteCrowd(
  threads: number,
  { coreCount, stderr }: Pick<Io, 'coreCount' | 'stderr'>,
  flag = '--workers',
): void {
  if (threads <= MOST_PER_CORE * coreCount) return;
  writeLine(
    stderr,
    `warning: ${flag} ${threads} on ${countOf(coreCount, 'core')}: they take turns, and a step waits for the last of them. ` +
      `${flag} ${coreCount} gives the same result, faster.`,
  );
}
