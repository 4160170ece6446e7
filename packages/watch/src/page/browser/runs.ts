/** What the page knows of a run: the news put together, over restarts of the process that computes it. */
import type { Chronicle, Curve, LogLine } from '../../chronicle/chronicle.js';
import type { RunMessage, SectionNews } from '../feed.js';

export interface Run {
  readonly name: string;
  /** With what earlier processes told. */
  readonly chronicle: Partial<Chronicle>;
  /** Sections that the last message changed. */
  readonly changed: ReadonlySet<keyof Chronicle>;
  /** What the present process told. */
  readonly own: Partial<Chronicle>;
  /** What remains of processes before it. */
  readonly older: Older;
}

interface Older {
  readonly curve: Curve;
  readonly log: readonly LogLine[];
}

const NO_CURVE: Curve = { epoch: [], loss: [], accuracy: [], learningRate: [], imagesPerSecond: [] };
const NOTHING_OLDER: Older = { curve: NO_CURVE, log: [] };
const MOST_LINES = 300;

export function takeNews(known: Run | undefined, { name, sections }: RunMessage): Run {
  const isFromStart = sections.about !== undefined;
  const older = known === undefined ? NOTHING_OLDER : isFromStart ? keepOlder(known, sections) : known.older;
  const before = isFromStart ? {} : (known?.own ?? {});
  const { curve: points, ...others } = sections;
  const own: Partial<Chronicle> = {
    ...before,
    ...others,
    ...(points && { curve: joinCurves(cut(before.curve ?? NO_CURVE, points.from), points.points) }),
  };
  return {
    name,
    own,
    older,
    chronicle: {
      ...own,
      curve: joinCurves(older.curve, own.curve ?? NO_CURVE),
      log: [...older.log, ...(own.log ?? [])].slice(-MOST_LINES),
    },
    changed: new Set(Object.keys(sections) as (keyof Chronicle)[]),
  };
}

/** Of a run that another process goes on with: what was before the step at which it was resumed. */
function keepOlder({ chronicle, own, older }: Run, { about }: SectionNews): Older {
  const before = own.about;
  if (about === undefined || before?.identity !== about.identity) return NOTHING_OLDER;
  if (before.startedAt === about.startedAt) return older;
  if (about.resumedStep === 0) return NOTHING_OLDER;
  const { curve = NO_CURVE, log = [] } = chronicle;
  const end = about.resumedStep / about.stepsPerEpoch;
  return { curve: cut(curve, curve.epoch.filter((epoch) => epoch <= end).length), log };
}

function joinCurves(first: Curve, second: Curve): Curve {
  return {
    epoch: [...first.epoch, ...second.epoch],
    loss: [...first.loss, ...second.loss],
    accuracy: [...first.accuracy, ...second.accuracy],
    learningRate: [...first.learningRate, ...second.learningRate],
    imagesPerSecond: [...first.imagesPerSecond, ...second.imagesPerSecond],
  };
}

const cut = (curve: Curve, length: number): Curve => ({
  epoch: curve.epoch.slice(0, length),
  loss: curve.loss.slice(0, length),
  accuracy: curve.accuracy.slice(0, length),
  learningRate: curve.learningRate.slice(0, length),
  imagesPerSecond: curve.imagesPerSecond.slice(0, length),
});
