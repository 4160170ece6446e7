/** How a roster travels: what a coordinator answers to `ask`. */
import { z } from 'zod';
import { LockstepError } from '../errors/errors.js';
import type { Roster } from '../events/roster.js';
import { parseJson } from '../files/json-text.js';
import { plainText } from '../text/plain-text.js';

/** For people. */
const text = z.string().max(2048).transform(plainText);
const count = z.int().min(0);

const rosterSchema = z.strictObject({
  run: text,
  step: count,
  nodes: z
    .array(
      z.strictObject({
        name: text,
        address: text,
        workers: count,
        engine: text,
        state: z.enum(['takes part', 'on probation', 'waiting']),
      }),
    )
    .max(256),
  struck: z
    .array(z.strictObject({ name: text, host: text, strikes: count, isBanned: z.boolean(), code: text, reason: text }))
    .max(256),
  refused: z.array(z.strictObject({ address: text, code: text, reason: text, secondsAgo: z.number().min(0) })).max(64),
  pardoned: count,
}) satisfies z.ZodType<Roster>;

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
