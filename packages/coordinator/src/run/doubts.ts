/** What of a run nobody can vouch for: steps of this process, and of those before it, which checkpoints remember. */
import type { EndEvent } from '@lockstep/core/events';
import type { Beginning, TrainingNode } from '@lockstep/core/seams';

/** @returns how the run has begun and gone on, with what is in doubt by now */
export function addDoubts(before: Beginning | undefined, node: TrainingNode): Beginning | undefined {
  const doubted = node.doubted?.() ?? [];
  const now = node.unaudited?.();
  const isNews = now !== undefined && (now.isAuditing || now.steps !== undefined);
  const unaudited = isNews ? joinUnaudited(before?.unaudited, now) : before?.unaudited;
  if (doubted.length === 0 && !isNews) return before;
  return {
    ...before,
    ...(doubted.length > 0 && { doubted: [...(before?.doubted ?? []), ...doubted] }),
    ...(unaudited && { unaudited }),
  };
}

/** What the end of a run says of it. */
export function listDoubts(beginning: Beginning | undefined): Pick<EndEvent, 'doubted' | 'unaudited'> {
  const { doubted, unaudited } = beginning ?? {};
  return {
    ...(doubted && { doubted }),
    ...(unaudited?.isAuditing && unaudited.steps && { unaudited: unaudited.steps }),
  };
}

type Unaudited = NonNullable<Beginning['unaudited']>;

/** From the first such step to the last; told at the end where any of the processes had --audit. */
function joinUnaudited(before: Unaudited | undefined, now: Unaudited): Unaudited {
  if (before === undefined) return now;
  const spans = [before.steps, now.steps].filter((span) => span !== undefined);
  const isAuditing = before.isAuditing || now.isAuditing;
  if (spans.length === 0) return { isAuditing };
  const firstStep = Math.min(...spans.map((span) => span.firstStep));
  return { isAuditing, steps: { firstStep, endStep: Math.max(...spans.map((span) => span.endStep)) } };
}
