import type { StepSpan } from '@lockstep/core/events';
import type { Beginning, TrainingNode } from '@lockstep/core/seams';
import { expect, it } from 'vitest';
import { addDoubts, listDoubts } from './doubts.js';

/** A process: whether it had --audit, and its steps with sums that were not computed again. */
type Process = readonly [isAuditing: boolean, steps?: readonly [firstStep: number, endStep: number]];

const nodeOf = ([isAuditing, steps]: Process): TrainingNode => {
  const span: StepSpan | undefined = steps && { firstStep: steps[0], endStep: steps[1] };
  return { unaudited: () => ({ isAuditing, ...(span && { steps: span }) }) } as unknown as TrainingNode;
};

/** As the checkpoints of one process are what the next begins with. */
const runOf = (...processes: readonly Process[]): Beginning | undefined =>
  processes.reduce<Beginning | undefined>((before, process) => addDoubts(before, nodeOf(process)), undefined);

it.each<[string, readonly Process[], readonly [number, number] | undefined]>([
  ['its own steps', [[true, [3, 9]]], [3, 9]],
  ['those of before, when it has none', [[true, [3, 9]], [true]], [3, 9]],
  [
    'from the first of before to the last of its own',
    [
      [true, [3, 9]],
      [true, [20, 30]],
    ],
    [3, 30],
  ],
  ['those of before without --audit, when it has --audit', [[false, [0, 9]], [true]], [0, 9]],
  [
    'those of before, when it has no --audit itself',
    [
      [true, [3, 9]],
      [false, [12, 20]],
    ],
    [3, 20],
  ],
  [
    'nothing where nobody had --audit',
    [
      [false, [0, 9]],
      [false, [9, 20]],
    ],
    undefined,
  ],
  ['nothing where all was computed again', [[true], [true]], undefined],
])('cases: peers 5: the end of a run that goes on from a checkpoint names %s', (_, processes, span) => {
  const unaudited = span && { firstStep: span[0], endStep: span[1] };
  expect(listDoubts(runOf(...processes))).toEqual(unaudited ? { unaudited } : {});
});

it('keeps what else is known of how a run began', () => {
  const beginning: Beginning = { overriddenAt: 7, doubted: [{ node: 'lab2', firstStep: 0, endStep: 3 }] };
  expect(addDoubts(beginning, nodeOf([true, [8, 9]]))).toEqual({
    ...beginning,
    unaudited: { isAuditing: true, steps: { firstStep: 8, endStep: 9 } },
  });
  // a run of one machine
  expect(addDoubts(beginning, {} as TrainingNode)).toBe(beginning);
});
