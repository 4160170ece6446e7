/** The release that this is: nodes of one run must have the same. */
import { readFileSync } from 'node:fs';

const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');

export const LOCKSTEP_VERSION: string = (JSON.parse(text) as { version: string }).version;
