/** Who is in a run, who broke its rules and who was turned away: what a coordinator answers to `ask`. */
import { z } from 'zod';
import { LockstepError } from '../errors/errors.js';
import { parseJson } from '../files/json-text.js';
import { plainText } from '../text/plain-text.js';

/** For people. */
const text = z.string().max(2048).transform(plainText);
const count = z.int().min(0);

const rosterSchema = z.strictObject({
  run: text,
  /** Steps that are committed. */
  step: count,
  nodes: z
    .array(
      z.strictObject({
        name: text,
        address: text,
        workers: count,
        engine: text,
        /** `waiting` until the next step begins; one on probation gets no shards until its replica was compared. */
        state: z.enum(['takes part', 'on probation', 'waiting']),
      }),
    )
    .max(256),
  /** Those that broke rules, by what they called themselves, with the last of these. */
  struck: z
    .array(z.strictObject({ name: text, host: text, strikes: count, isBanned: z.boolean(), code: text, reason: text }))
    .max(256),
  /** Connections that were turned away, the latest first. */
  refused: z.array(z.strictObject({ address: text, code: text, reason: text, secondsAgo: z.number().min(0) })).max(64),
  /** Nodes whose strikes were taken back, as was asked. */
  pardoned: count,
});
export type Roster = z.output<typeof rosterSchema>;

/**
 * Reads a roster.
 *
 * @throws LockstepError LOCKSTEP_NODE_MESSAGE when it is none
 */
export function readRoster(bytes: Uint8Array): Roster {
  const parsed = parseJson(Buffer.from(bytes).toString());
  const result = 'fault' in parsed ? undefined : rosterSchema.safeParse(parsed.value);
  if (result?.success) return result.data;
  throw new LockstepError(
    'LOCKSTEP_NODE_MESSAGE',
    'the coordinator sent a list of its nodes that is none. Do both sides run the same release?',
  );
}
