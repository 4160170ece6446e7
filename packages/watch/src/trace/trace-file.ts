/**
 * The time line of `--trace`, in the Trace Event Format that ui.perfetto.dev and chrome://tracing read: an array of events
 * with microseconds from the run's start. Each node is a process, each worker a thread of it with one slice per phase; a
 * process of its own has epochs, steps and evaluations, and marks for checkpoints, nodes and warnings.
 *
 * Source: "Trace Event Format", Google, 2016; the JSON Array form, which is valid for readers without its closing bracket.
 */

import type { RunEvent, StepTimes } from '@lockstep/core/events';
import type { EvaluationRecord, RunObserver, RunView } from '@lockstep/core/seams';
import { FileSink } from '../files/file-sink.js';

/** @throws LockstepError LOCKSTEP_SAVE_PATH */
export async function openTraceFile(path: string): Promise<RunObserver> {
  return new TraceFile(path, await FileSink.open(path, '--trace'));
}

/** The process of the run as a whole, and its threads. */
const RUN = 0;
const runThread = { epochs: 0, steps: 1, evaluations: 2, events: 3 } as const;

const phases = [
  ['contribute', 'contributeMs'],
  ['wait', 'waitMs'],
  ['exchange', 'exchangeMs'],
  ['update', 'updateMs'],
  ['commit', 'commitMs'],
] as const;

class TraceFile implements RunObserver {
  readonly name: string;
  readonly #beganMs = performance.now();
  /** Process numbers of nodes, and which threads of them have a name. */
  readonly #processes = new Map<string, number>();
  readonly #threads = new Set<string>();
  #stepsPerEpoch = 1;
  #epochBeganMs: number | undefined;
  #isFirst = true;

  constructor(
    path: string,
    private readonly sink: FileSink,
  ) {
    this.name = `--trace ${path}`;
  }

  begin(view: RunView): void {
    this.#stepsPerEpoch = view.stepsPerEpoch;
    this.#nameProcess(RUN, `run of ${view.model.name}`);
    for (const [name, thread] of Object.entries(runThread)) this.#nameThread(RUN, thread, name);
  }

  onSteps(times: readonly StepTimes[]): void {
    const lines: string[] = [];
    for (const one of times) {
      const process = this.#processOf(one.node);
      const thread = one.worker ?? 0;
      this.#nameWorker(process, one);
      let atMs = one.beganMs;
      for (const [name, field] of phases) {
        if (one[field] > 0)
          lines.push(this.#slice(name, 'phase', process, thread, atMs, one[field], `"step":${one.step}`));
        atMs += one[field];
      }
      if (one.node !== 'coordinator' || (one.worker ?? 0) !== 0) continue;
      this.#epochBeganMs ??= one.beganMs;
      lines.push(this.#slice(`step ${one.step}`, 'step', RUN, runThread.steps, one.beganMs, atMs - one.beganMs));
    }
    if (lines.length > 0) this.#write(lines.join(',\n'));
  }

  onEvaluated({ split, ofAverage, beganMs, endedMs, step, evaluated }: EvaluationRecord): void {
    if (!ofAverage && split === 'test') this.#endEpoch(beganMs, step);
    const name = ofAverage ? `${split}, moving average` : split;
    const args = `"step":${step},"correct":${evaluated.correct},"total":${evaluated.total}`;
    this.#write(this.#slice(name, 'evaluation', RUN, runThread.evaluations, beganMs, endedMs - beganMs, args));
  }

  #endEpoch(endedMs: number, step: number): void {
    if (this.#epochBeganMs === undefined) return;
    const epoch = Math.ceil(step / this.#stepsPerEpoch);
    const lengthMs = endedMs - this.#epochBeganMs;
    this.#write(this.#slice(`epoch ${epoch}`, 'epoch', RUN, runThread.epochs, this.#epochBeganMs, lengthMs));
    this.#epochBeganMs = undefined;
  }

  onEvent(event: RunEvent): void {
    if (event.event === 'epoch') return;
    if (event.event === 'progress') {
      if (event.step === 0) return;
      const { imagesPerSecond, loss } = event;
      this.#count('images/s', Math.round(imagesPerSecond));
      this.#count('loss', loss);
      return;
    }
    const args = event.event === 'start' || event.event === 'end' ? {} : event;
    this.#write(
      `{"name":${JSON.stringify(event.event)},"cat":"event","ph":"i","s":"g","ts":${this.#at(performance.now())},"pid":${RUN},"tid":${runThread.events},"args":${JSON.stringify(args)}}`,
    );
  }

  async close(): Promise<void> {
    this.sink.write(this.#isFirst ? '[]\n' : '\n]\n');
    await this.sink.close();
    if (this.sink.leftOut > 0) throw new Error(`${this.sink.leftOut} pieces were left out: the disk was too slow`);
  }

  #write(lines: string): void {
    this.sink.write(`${this.#isFirst ? '[\n' : ',\n'}${lines}`);
    this.#isFirst = false;
  }

  /** Whole microseconds since the start. */
  #at(ms: number): number {
    return Math.max(0, Math.round(1000 * (ms - this.#beganMs)));
  }

  #slice(name: string, kind: string, pid: number, tid: number, atMs: number, lengthMs: number, args = ''): string {
    const from = this.#at(atMs);
    // both ends are rounded, so that neighbours meet and never overlap
    const length = this.#at(atMs + lengthMs) - from;
    return `{"name":"${name}","cat":"${kind}","ph":"X","ts":${from},"dur":${length},"pid":${pid},"tid":${tid},"args":{${args}}}`;
  }

  #count(name: string, value: number): void {
    const number = Number.isFinite(value) ? value : 0;
    this.#write(
      `{"name":"${name}","ph":"C","ts":${this.#at(performance.now())},"pid":${RUN},"args":{"${name}":${number}}}`,
    );
  }

  #processOf(node: string): number {
    const known = this.#processes.get(node);
    if (known !== undefined) return known;
    const process = this.#processes.size + 1;
    this.#processes.set(node, process);
    this.#nameProcess(process, node);
    return process;
  }

  #nameWorker(process: number, { worker }: StepTimes): void {
    const key = `${process} ${worker}`;
    if (this.#threads.has(key)) return;
    this.#threads.add(key);
    this.#nameThread(process, worker ?? 0, worker === undefined ? 'all workers' : `worker ${worker}`);
  }

  #nameProcess(pid: number, name: string): void {
    this.#write(`{"name":"process_name","ph":"M","pid":${pid},"args":{"name":${JSON.stringify(name)}}}`);
  }

  #nameThread(pid: number, tid: number, name: string): void {
    this.#write(`{"name":"thread_name","ph":"M","pid":${pid},"tid":${tid},"args":{"name":${JSON.stringify(name)}}}`);
  }
}
