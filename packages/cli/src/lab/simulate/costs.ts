/** What a step costs on a machine, as `lockstep bench calibrate` measures it and `lockstep simulate` reads it. */
import { LockstepError } from '@lockstep/core/errors';
import { parseJson, readText } from '@lockstep/core/files';
import { z } from 'zod';

const seconds = z.number().min(0).max(3600);
const count = z.int().min(1).max(1e9);

/** Of one model on one node with so many threads. Seconds. */
const threadCosts = z.strictObject({
  threads: count,
  /** Computing shards takes `contributeBase + contributeShard * shards of the busiest thread`. */
  contributeBase: seconds,
  contributeShard: seconds,
  /** Of computing the part that is left when the gradients of the tail are final. */
  afterTail: z.number().min(0).max(1),
  /** Adding one more vector to a sum. */
  foldVector: seconds,
  /** Applying the optimizer to a vector. */
  updateVector: seconds,
  /** A command to the threads and their answer; files of costs call it an order. */
  order: seconds,
});
export type ThreadCosts = z.output<typeof threadCosts>;

const modelCosts = z.strictObject({
  model: z.string(),
  /** Of a contribution. */
  floats: count,
  /** Of them in the tail, which may travel while the others are computed. */
  tailFloats: z.int().min(0).max(1e9),
  shardSize: count,
  threads: z.array(threadCosts).min(1),
});
export type ModelCosts = z.output<typeof modelCosts>;

const costsSchema = z.strictObject({
  calibration: z.literal(4),
  machine: z.record(z.string(), z.unknown()),
  date: z.string(),
  commit: z.string().optional(),
  cores: count,
  /** Of a node's main thread, kernel included: seal, MessagePack, socket, copy. */
  message: z.strictObject({
    send: seconds,
    receive: seconds,
    sendByte: seconds,
    receiveByte: seconds,
  }),
  /** What a step of two nodes takes beyond all that is above: from wake-ups, the plan of the step, its commit. */
  step: z.strictObject({ swap: seconds, star: seconds, mesh: seconds }),
  models: z.array(modelCosts).min(1),
});
/** Seconds; see the fields. */
export type Costs = z.output<typeof costsSchema>;

/** @throws LockstepError LOCKSTEP_CALIBRATION when the file is not there or is none */
export function readCosts(path: string): Costs {
  let text: string;
  try {
    text = readText(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') throw calibrationError(`cannot read ${path}: ${message}. Give another file`);
    throw calibrationError(`there is no ${path}. Make one: lockstep bench calibrate --out ${path}`);
  }
  const parsed = parseJson(text);
  if ('fault' in parsed)
    throw calibrationError(`${path} is not JSON. Make it anew: lockstep bench calibrate --out ${path}`);
  const result = costsSchema.safeParse(parsed.value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = (issue?.path ?? []).map(String).join('.');
  throw calibrationError(
    `${path} is no calibration of this release: ${where}: ${issue?.message}. Make it anew: lockstep bench calibrate --out ${path}`,
  );
}

/** @throws LockstepError LOCKSTEP_CALIBRATION naming the models that were measured */
export function findModelCosts(costs: Costs, model: string): ModelCosts {
  const found = costs.models.find((one) => one.model === model);
  if (found) return found;
  const names = costs.models.map((one) => one.model).join(', ');
  throw calibrationError(
    `the calibration has ${names}, not ${model}. Measure it: lockstep bench calibrate --models ${model}`,
  );
}

/**
 * Costs with so many threads. More than were measured cost what the most that were measured do: each thread has its
 * shards for itself, and the bandwidth for sums and updates stays.
 */
export function findThreadCosts({ threads: measured }: ModelCosts, threads: number): ThreadCosts {
  const rising = [...measured].sort((a, b) => a.threads - b.threads);
  return rising.findLast((one) => one.threads <= threads) ?? (rising[0] as ThreadCosts);
}

/** Costs of a machine that takes `factor` times as long for everything. */
export function scaleCosts(costs: Costs, factor: number): Costs {
  const scale = <T extends object>(times: T): T =>
    Object.fromEntries(Object.entries(times).map(([name, time]) => [name, time * factor])) as T;
  const scaleThreads = ({ threads, afterTail, ...times }: ThreadCosts): ThreadCosts => ({
    threads,
    afterTail,
    ...scale(times),
  });
  return {
    ...costs,
    message: scale(costs.message),
    step: scale(costs.step),
    models: costs.models.map((model) => ({ ...model, threads: model.threads.map(scaleThreads) })),
  };
}

const calibrationError = (text: string): LockstepError => new LockstepError('LOCKSTEP_CALIBRATION', text);
