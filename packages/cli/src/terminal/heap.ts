/** When V8 collects what this process has thrown away. */
import { setFlagsFromString } from 'node:v8';

/** How much the heap may grow over what lived after the last collection, before it is looked through whole again. */
const GROWTH_PERCENT = 400;

/**
 * Has V8 look through whole heaps rarely, in this process's every thread.
 *
 * Buffers that come from a socket live for a moment, and the collections of the young generation free them. But V8 counts
 * them with a heap that is small, takes that for a heap that has doubled, and marks all of it: four times a step where
 * 47 MB arrive in one, a fifth of a core.
 */
export const collectLate = (): void => setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
