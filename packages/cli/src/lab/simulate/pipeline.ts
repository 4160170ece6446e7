/**
 * The time of work that goes through stages, bucket by bucket. The first bucket takes the sum of its stages; after that
 * one bucket is finished each time the busiest resource has done its part of one.
 */

/** What one round needs of one resource. */
export interface Share {
  /** `coordinator main thread`, `leader sending`: one thing at a time. */
  readonly of: string;
  readonly seconds: number;
  /** Parts in which it is done, one after the other. */
  readonly messages: number;
}

export interface Stage {
  /** One after the other for a message, but side by side for several. */
  readonly shares: readonly Share[];
  /** Both ends of the cables between them, which carry the same bytes at the same time. */
  readonly cables?: readonly Share[];
  /** What keeps resources busy meanwhile, though no bucket waits for it. */
  readonly aside?: readonly Share[];
}

export interface PipelineTime {
  readonly seconds: number;
  /** What the busiest resource does in all rounds: no step is shorter, whatever goes on at the same time. */
  readonly busy: number;
  /** Of them in which the busiest cable carries something; all else needs a core. */
  readonly onCable: number;
  /** The resource that sets the pace. */
  readonly busiest: string;
}

export function timePipeline(stages: readonly Stage[], rounds: number): PipelineTime {
  const loads = new Map<string, number>();
  for (const { shares, cables = [], aside = [] } of stages) {
    for (const { of, seconds } of [...shares, ...cables, ...aside]) loads.set(of, (loads.get(of) ?? 0) + seconds);
  }
  const [busiest, load] = [...loads].reduce((most, one) => (one[1] > most[1] ? one : most), ['', 0]);
  const first = stages.reduce((sum, stage) => sum + timeStage(stage), 0);
  const cables = new Set(stages.flatMap((stage) => (stage.cables ?? []).map(({ of }) => of)));
  const onCable = rounds * Math.max(0, ...[...cables].map((of) => loads.get(of) ?? 0));
  return { seconds: first + (rounds - 1) * load, busy: rounds * load, onCable, busiest };
}

/** The slowest part, and of the others what they need before it can begin or after it has ended: one message. */
function timeStage({ shares, cables = [] }: Stage): number {
  const cable = cables.reduce((slow, one) => (one.seconds > slow.seconds ? one : slow), NOTHING);
  const parts = [...shares, cable];
  const slowest = parts.reduce((slow, one) => (one.seconds > slow.seconds ? one : slow), NOTHING);
  const others = parts.filter((part) => part !== slowest);
  return slowest.seconds + others.reduce((sum, { seconds, messages }) => sum + seconds / Math.max(1, messages), 0);
}

const NOTHING: Share = { of: '', seconds: 0, messages: 1 };
