/** What Node has taken out since tfjs-node was written, which takes it from `util` at every call. */
import util from 'node:util';

/** Kept in step with tools/setup/tensorflow.mjs by its test. */
const TAKEN_OUT = {
  isArray: Array.isArray,
  isNullOrUndefined: (value: unknown): boolean => value === null || value === undefined,
};

/**
 * Gives `util` the functions back that Node 23 took out and Node 22 warns of. They are the same as they were, and
 * nothing else of `util` is touched.
 */
export function giveBackUtil(): void {
  Object.assign(util, TAKEN_OUT);
}
