/**
 * What the live page shows of a run, and report.html after it: one value, made of sections that change at different
 * paces. Plain JSON, small whatever the length of the run.
 */

import type { DataReport, EpochEvent } from '@lockstep/core/events';
import type { SplitName } from '@lockstep/core/seams';
import type { Recipe } from '@lockstep/core/spec';
import type { Ending } from '@lockstep/core/text';

export interface Chronicle {
  /** What does not change; undefined until the run has begun. */
  readonly about: About | undefined;
  readonly status: Status;
  readonly curve: Curve;
  readonly epochs: readonly EpochEvent[];
  /** What happened, oldest first; of a long list the newest. */
  readonly log: readonly LogLine[];
  /** Who computes: nodes, and workers of nodes that tell about them. */
  readonly crew: readonly CrewMember[];
  /** Where the time of the newest steps went. */
  readonly steps: readonly StepBar[];
  readonly judgement: Judgement | undefined;
  readonly inputs: InputSheet | undefined;
  readonly filters: FilterSheet | undefined;
}

export type Section = keyof Chronicle;

export interface About {
  /** Equal for two processes that compute the same run: one goes on where the other stopped. */
  readonly identity: string;
  readonly model: string;
  readonly parameters: number;
  readonly multAdds: number;
  readonly layers: readonly LayerRow[];
  readonly recipe: Recipe;
  readonly seed: number;
  readonly data: string;
  /** How the data were read; not in what was recorded by earlier versions. */
  readonly report?: DataReport;
  readonly trainSamples: number;
  readonly validationSamples: number;
  readonly testSamples: number;
  readonly classNames: readonly string[];
  readonly engine: string;
  readonly workers: number;
  readonly stepsPerEpoch: number;
  /** Steps that were done before, in the run that is resumed. */
  readonly resumedStep: number;
  /** What it was begun with; undefined when it was not started by a command. */
  readonly command: string | undefined;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly hasCheckpoints: boolean;
}

/** One layer of the model's table. */
export interface LayerRow {
  readonly name: string;
  readonly type: string;
  /** Without the batch. */
  readonly outputShape: readonly number[];
  readonly parameters: number;
  /** kernel/stride/padding; empty for layers without a window. */
  readonly window: string;
  readonly multAdds: number;
}

export interface Status {
  readonly phase: 'starting' | 'training' | 'evaluating' | 'paused' | 'waiting' | 'ended' | 'failed';
  /** From 1; 0 before the first. */
  readonly epoch: number;
  /** Steps of this epoch that are committed. */
  readonly step: number;
  /** Steps of the run that are committed. */
  readonly committed: number;
  readonly learningRate: number;
  /** Training loss, mean over this epoch so far; not in what was recorded by earlier versions. */
  readonly trainLoss?: number;
  /** Training accuracy of this epoch so far. */
  readonly accuracy: number;
  /** Over the last moments. */
  readonly imagesPerSecond: number;
  /** Since the start of this process; of a run that has ended as its end says. */
  readonly seconds: number;
  /** Of the run's end. */
  readonly end?: Ending;
  /** Why the run failed. */
  readonly failure?: string;
}

/** Points of a run's course, in columns of one length; when they become too many, neighbours are joined. */
export interface Curve {
  /** Epochs done, such as 2.5. */
  readonly epoch: readonly number[];
  /** Training loss of a step. */
  readonly loss: readonly number[];
  /** Training accuracy over the steps since the point before. */
  readonly accuracy: readonly number[];
  readonly learningRate: readonly number[];
  readonly imagesPerSecond: readonly number[];
}

export interface LogLine {
  /** Seconds since the start of the process. */
  readonly seconds: number;
  readonly kind: 'run' | 'epoch' | 'checkpoint' | 'node' | 'control' | 'warning' | 'failure';
  readonly text: string;
}

export interface CrewMember {
  readonly node: string;
  /** From 0; undefined: the node as a whole. */
  readonly worker: number | undefined;
  readonly state: 'working' | 'done' | 'gone' | 'evicted';
  /** How often it was lost and replaced. */
  readonly replaced: number;
  /** Of a full step. */
  readonly shards: number;
  readonly imagesPerSecond: number;
  /** Milliseconds of a step by phase, mean over the last moments; see `phaseNames`. */
  readonly phases: readonly number[] | undefined;
}

/** The parts of a step, in their order. */
export const phaseNames = ['contribute', 'wait', 'exchange', 'update', 'commit'] as const;

/** One step of one worker or node. */
export interface StepBar {
  readonly lane: string;
  readonly step: number;
  /** Milliseconds since the earliest bar of the list began. */
  readonly beganMs: number;
  /** Milliseconds by phase. */
  readonly phases: readonly number[];
}

/** What the network gets right and wrong. */
export interface Judgement {
  /** Epochs completed. */
  readonly epoch: number;
  /** Steps of the next one that were done. */
  readonly steps?: number;
  readonly split: SplitName;
  readonly correct: number;
  readonly total: number;
  /** [label][predicted class]: how many. */
  readonly confusion: readonly (readonly number[])[];
  /** The most confident ones. */
  readonly mistakes: readonly Mistake[];
}

export interface Mistake {
  readonly index: number;
  readonly label: number;
  readonly predicted: number;
  /** Probability given to `predicted`. */
  readonly confidence: number;
  /** A PNG as a data URI. */
  readonly image: string;
}

/** Training images as they are, and as the network sees them in an epoch. */
export interface InputSheet {
  /** From 1. */
  readonly epoch: number;
  readonly isAugmented: boolean;
  readonly images: readonly { readonly index: number; readonly label: number; original: string; seen: string }[];
}

/** The kernels of the first layer, each scaled by the largest weight of all. */
export interface FilterSheet {
  readonly layer: string;
  /** Epochs completed. */
  readonly epoch: number;
  /** Steps of the next one that were done. */
  readonly steps?: number;
  /** How many the layer has; `images` may be fewer. */
  readonly count: number;
  readonly largest: number;
  readonly images: readonly string[];
}

export const emptyChronicle: Chronicle = {
  about: undefined,
  status: {
    phase: 'starting',
    epoch: 0,
    step: 0,
    committed: 0,
    learningRate: 0,
    accuracy: 0,
    imagesPerSecond: 0,
    seconds: 0,
  },
  curve: { epoch: [], loss: [], accuracy: [], learningRate: [], imagesPerSecond: [] },
  epochs: [],
  log: [],
  crew: [],
  steps: [],
  judgement: undefined,
  inputs: undefined,
  filters: undefined,
};

/** The columns of a curve. */
export const curveColumns = ['epoch', 'loss', 'accuracy', 'learningRate', 'imagesPerSecond'] as const;
