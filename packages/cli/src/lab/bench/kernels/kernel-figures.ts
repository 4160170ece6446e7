/** `lockstep bench kernels`: where the time of a training step goes, op by op. */
import type { Algorithm, OpName, ProgramOp } from '@lockstep/kernels';
import { median } from '../measure/statistics.js';

/** What one run of a step took, in nanoseconds. */
export interface StepSample {
  /** [op in program order]. */
  readonly ops: readonly number[];
  /** Of the timed contribution, what is between the ops: weights are packed, shards added up in waves. */
  readonly between: number;
  /** A contribution without timers. */
  readonly contribute: number;
  readonly update: number;
}

const passNames = ['forward', 'input gradient', 'weight gradient', 'rest'] as const;
export type PassName = (typeof passNames)[number];

export interface KernelFigures {
  readonly op: string;
  readonly shape: string;
  readonly algorithm: Algorithm | '';
  readonly pass: PassName;
  readonly microseconds: number;
  readonly shareOfStep: number;
  /** Of ops that multiply and add, in direct FLOPs. */
  readonly gigaflops?: number;
  /** Of ops that pass over memory. */
  readonly gigabytesPerSecond?: number;
}

export interface StepFigures {
  readonly model: string;
  readonly samples: number;
  /** Of a step without timers. */
  readonly microseconds: number;
  /** Of a timed step: what the parts add up to, and shares are taken of. */
  readonly timedMicroseconds: number;
  readonly imagesPerSecond: number;
  readonly peakGigaflops: number;
  /** The step's FLOPs in direct convolutions over what the core could do in its time. */
  readonly shareOfPeak: number;
  readonly kernels: readonly KernelFigures[];
  readonly passes: readonly { readonly pass: PassName; readonly microseconds: number; readonly shareOfStep: number }[];
}

const PASSES: Partial<Record<OpName, PassName>> = {
  input: 'rest',
  dropoutMask: 'rest',
  averagePoolBackward: 'input gradient',
  postBackward: 'input gradient',
  normBackward: 'input gradient',
  apply: 'input gradient',
  convInputGradient: 'input gradient',
  denseInputGradient: 'input gradient',
  convWeightGradient: 'weight gradient',
  denseWeightGradient: 'weight gradient',
  convBiasGradient: 'weight gradient',
  zeroGradient: 'weight gradient',
};

export interface StepMeasurement {
  readonly model: string;
  readonly samples: number;
  readonly trainingFlopsPerImage: number;
  readonly peakGigaflops: number;
  readonly ops: readonly ProgramOp[];
  readonly algorithms: readonly Algorithm[];
  readonly runs: readonly StepSample[];
}

/** Medians over the runs, and what they come to. */
export function summarizeStep(measurement: StepMeasurement): StepFigures {
  const { model, samples, ops, runs, peakGigaflops, trainingFlopsPerImage } = measurement;
  const opTimes = ops.map((_, i) => median(runs.map((run) => run.ops[i] as number)) / 1000);
  const between = median(runs.map((run) => run.between)) / 1000;
  const update = median(runs.map((run) => run.update)) / 1000;
  const timedMicroseconds = opTimes.reduce((sum, time) => sum + time, between + update);
  const microseconds = median(runs.map((run) => run.contribute + run.update)) / 1000;
  const share = (time: number): number => time / timedMicroseconds;
  const kernels: KernelFigures[] = ops.map((op, i) => ({
    op: op.name,
    shape: op.shape,
    algorithm: measurement.algorithms[i] as Algorithm,
    pass: PASSES[op.name] ?? 'forward',
    microseconds: opTimes[i] as number,
    shareOfStep: share(opTimes[i] as number),
    ...rateOf(op, samples, opTimes[i] as number),
  }));
  const rest = (op: string, time: number): KernelFigures => ({
    op,
    shape: '',
    algorithm: '',
    pass: 'rest',
    microseconds: time,
    shareOfStep: share(time),
  });
  kernels.push(rest('between ops', between), rest('update', update));
  return {
    model,
    samples,
    microseconds,
    timedMicroseconds,
    imagesPerSecond: (samples * 1e6) / microseconds,
    peakGigaflops,
    shareOfPeak: (samples * trainingFlopsPerImage) / (microseconds * 1000) / peakGigaflops,
    kernels,
    passes: passNames.map((pass) => {
      const time = kernels.reduce((sum, kernel) => sum + (kernel.pass === pass ? kernel.microseconds : 0), 0);
      return { pass, microseconds: time, shareOfStep: share(time) };
    }),
  };
}

function rateOf(op: ProgramOp, samples: number, microseconds: number): Partial<KernelFigures> {
  if (op.multiplyAdds > 0) return { gigaflops: (2 * op.multiplyAdds * samples) / microseconds / 1000 };
  if (op.floats > 0) return { gigabytesPerSecond: (4 * op.floats * samples) / microseconds / 1000 };
  return {};
}
