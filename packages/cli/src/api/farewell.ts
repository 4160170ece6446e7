/** What the nodes of a run are told at its end: how it has ended, and the exit code that says so, the run's own. */
import { LockstepError } from '@lockstep/core/errors';
import type { EndEvent } from '@lockstep/core/events';
import { isDivergence } from '@lockstep/core/seams';
import { countOf, describeDoubted } from '@lockstep/core/text';
import type { MessageOf } from '@lockstep/core/wire';
import { exitCodeOfSignal } from '../terminal/ending.js';
import { EXIT_BAD_INPUT, EXIT_FAILED } from '../terminal/failure.js';

/** Of a message. */
const MOST_CHARACTERS = 2000;

/**
 * @param end the run's last event, if it came so far
 * @param failure what it has thrown, else undefined; without either its events were not read to the end
 */
export function farewellOf(end: EndEvent | undefined, failure: unknown): MessageOf<'end'> {
  const say = (text: string, exitCode: number): MessageOf<'end'> => ({
    type: 'end',
    text: text.slice(0, MOST_CHARACTERS),
    exitCode,
  });
  if (isDivergence(failure)) return say(`the run has diverged: ${describe(failure)}`, EXIT_BAD_INPUT);
  if (failure !== undefined) return say(`the run has failed: ${describe(failure)}`, EXIT_FAILED);
  if (end === undefined) return say('the run was left before its end', EXIT_FAILED);
  if (end.reason !== 'interrupted' && end.doubted) {
    return say(`the run is over, with a result in doubt: ${describeDoubted(end.doubted)}`, EXIT_FAILED);
  }
  if (end.reason !== 'interrupted') return say('the run is over', 0);
  const by = end.signal === undefined ? '' : ` by ${end.signal}`;
  return say(`the run was cut short${by} after ${countOf(end.steps, 'step')}`, exitCodeOfSignal(end.signal));
}

const describe = (failure: unknown): string => {
  if (failure instanceof LockstepError) return failure.text;
  return failure instanceof Error ? failure.message : String(failure);
};
