/**
 * A run's nodes taken together: to the coordinator they are one node whose segments are computed by several.
 *
 * The coordinator's own process always holds a replica, the keeper, even when it computes no shards (`--workers 0`): so
 * a run whose last node has died has lost nothing, and evaluation, checkpoints and the state for nodes that join come
 * from one place. Per step:
 *
 *   take in who waits -> deal shards -> everybody contributes, reduces, updates (worker/participant.ts) -> commit
 *
 * Whatever goes wrong in a step (a node dies, stalls, breaks a rule) ends the attempt; the step is begun again with who
 * is left, under a new generation, from version t, which everybody still has. The bits are the same whoever computes.
 */
import {
  type Assignment,
  COORDINATOR_ID,
  type EvaluatedSplit,
  type EvaluateOptions,
  type Frame,
  LockstepError,
  MAX_PAYLOAD_BYTES,
  type ModelState,
  type NodeEvent,
  type NodeShare,
  type NodeSnapshot,
  type SegmentPlan,
  type SegmentProgress,
  type SharingNode,
  type SplitName,
  type StepOutcome,
  type StepParticipant,
  type StepTimes,
  SupersededError,
  samplesInStep,
  shardCount,
  stepsPerEpoch,
  type TrainingNode,
} from '@lockstep/core';
import type { AdmissionTerms } from './admission.js';
import { assignShards } from './assignment.js';
import { chooseAudits } from './audits.js';
import { Deadlines } from './deadlines.js';
import { Membership } from './membership.js';
import { Pace, type RemoteNode } from './remote-node.js';

export interface ClusterOptions {
  readonly topology: 'star' | 'mesh';
  /** Nodes, beside the keeper, to wait for before the first step. */
  readonly waitFor: number;
  /** Whether the keeper computes shards too. */
  readonly isComputing: boolean;
  /** Share of the other nodes' shards that the keeper computes again, to compare. */
  readonly audit: number;
  /** Whether to note where the time of each node's steps goes. */
  readonly isTimed?: boolean | undefined;
  readonly emit: (event: NodeEvent) => void;
}

type StepDurations = Pick<StepOutcome, 'computeMs' | 'updateMs' | 'stepMs'>;

/** Step times kept until they are taken out. */
const MAX_TIMED_STEPS = 4096;

/** How an attempt at a step ended. */
type Verdict = { readonly kind: 'done'; readonly outcome: StepOutcome } | { readonly kind: 'again' };

/** Steps between two comparisons of all replicas. */
const HASH_EVERY = 16;
/** LOCKSTEP_HOLD=step:nodes, for tests: before this step, wait until so many nodes are there. */
const [HOLD_STEP, HOLD_NODES = 0] = (process.env['LOCKSTEP_HOLD'] ?? '')
  .split(':')
  .map((text) => Number.parseInt(text, 10));
/** How much longer a node may compute for that. */
const LINK_BOUND_SLACK = 3;
/** Steps between two tries of a node that was too slow for any shard. */
const PROBE_EVERY = 64;
/** LOCKSTEP_EVEN=1, for tests: deal shards by threads, not by measured speed. */
const IS_EVEN = process.env['LOCKSTEP_EVEN'] === '1';
/** A node's share must change by this much for shards to be dealt anew. */
const REBALANCE = 1.15;

export class Cluster implements TrainingNode {
  readonly #membership: Membership;
  readonly #participant: StepParticipant;
  readonly #deadlines = new Deadlines();
  readonly #pace = new Pace();
  readonly #epochSteps: number;
  /** Grows over restarts of the coordinator too, so that nothing old is taken for new. */
  #generation = Math.floor(Date.now() / 1000);
  #step = 0;
  #isStopping = false;
  #assignment: Assignment | undefined;
  #applied = new Map<number, string | undefined>();
  #suspects = new Set<number>();
  #notFinite = 0;
  #speeds = new Map<number, number>();
  #shares = '';
  /** Shards of a full step, of each node that has any. */
  #sizes = new Map<number, number>();
  #starUntil = 0;
  #verified: NodeSnapshot | undefined;
  /** Whether all replicas were compared after the step that was committed last. */
  #isVerified = true;
  #steps: StepTimes[] = [];
  #isStarted = false;
  #endAttempt: () => void = () => {};
  #wakeWaiting: () => void = () => {};

  constructor(
    private readonly keeper: SharingNode,
    private readonly terms: AdmissionTerms,
    private readonly options: ClusterOptions,
  ) {
    this.#epochSteps = stepsPerEpoch(terms.dataset.train.count, terms.recipe.batchSize);
    this.#membership = new Membership(terms, {
      onFrame: (node, frame) => this.#take(node, frame),
      onGone: () => this.#endAttempt(),
      onReady: () => this.#wakeWaiting(),
      emit: options.emit,
      stepNow: () => this.#step,
    });
    this.#participant = keeper.share(COORDINATOR_ID, (node) => this.#membership.linkTo(node), {
      onContributed: (assignment, ms) => this.#pace.note(sizeOf(assignment, COORDINATOR_ID), ms),
      onFault: (node, error) => this.#blame(node, error),
    });
  }

  get membership(): Membership {
    return this.#membership;
  }

  get workers(): number {
    return this.options.isComputing ? this.keeper.workers : 0;
  }

  get engine(): string {
    return this.keeper.engine;
  }

  // ---- a segment ----

  async train(segment: SegmentPlan): Promise<SegmentProgress> {
    this.#isStopping = false;
    this.#step = segment.firstStep;
    this.keeper.beginShared(segment);
    this.#verified = this.keeper.readSnapshot();
    this.#isVerified = true;
    this.#participant.open();
    try {
      if (!this.#isStarted) await this.#awaitNodes(this.options.waitFor, 'the run begins when they are there');
      this.#isStarted = true;
      // a segment ends only where all replicas were compared
      while (this.#step < segment.endStep && !(this.#isStopping && this.#isVerified)) {
        if (!(await this.#runStep(segment))) break;
      }
    } finally {
      await this.#participant.close();
    }
    return this.progress();
  }

  /** @returns whether it went on to the end; false when it was stopped while no node was there */
  async #runStep(segment: SegmentPlan): Promise<boolean> {
    this.#suspects.clear();
    this.#notFinite = 0;
    for (;;) {
      if (this.#step === HOLD_STEP) await this.#awaitNodes(HOLD_NODES, 'a test holds the run');
      this.#takeIn();
      const computing = this.#listComputing();
      if (computing.length === 0) {
        await this.#awaitNodes(1, 'no node is left that computes; the run goes on when one comes');
        if (this.#isStopping) return false;
        continue;
      }
      const assignment = this.#assign(computing, segment);
      const verdict = await this.#attempt(assignment);
      if (verdict.kind === 'again') continue;
      if (this.#checkFinite(verdict.outcome, computing)) {
        this.#commit(verdict.outcome, assignment);
        return true;
      }
    }
  }

  #commit(outcome: StepOutcome, assignment: Assignment): void {
    const { lossSum, correct, hash } = outcome;
    this.#pace.noteStep(outcome.stepMs);
    this.#noteTimes(COORDINATOR_ID, assignment.step, outcome);
    for (const id of this.#suspects) {
      const node = this.#membership.nodes.get(id);
      const text = 'its result was not a finite number, and others computed one that is.';
      if (node) this.#membership.evict(node, new LockstepError('LOCKSTEP_NODE_CONTRIBUTION', text));
    }
    if (hash !== undefined && !this.#verifyReplicas(hash)) return;
    this.keeper.commit(assignment.step + 1, lossSum, correct);
    this.#step = assignment.step + 1;
    this.#assignment = undefined;
    this.#isVerified = hash !== undefined;
    if (this.#isVerified) this.#verified = this.keeper.readSnapshot();
  }

  /**
   * Sends away who has another state than the keeper. What such a node contributed since the last comparison may be wrong
   * too, so the run goes back to there.
   */
  #verifyReplicas(hash: string): boolean {
    const different = [...this.#applied].filter(([, theirs]) => theirs !== hash);
    for (const [id, theirs] of different) {
      const node = this.#membership.nodes.get(id);
      const text = `after step ${this.#step} its replica has hash ${theirs?.slice(0, 16)}, the coordinator's ${hash.slice(0, 16)}: its results are not used.`;
      if (node) this.#membership.evict(node, new LockstepError('LOCKSTEP_NODE_REPLICA', text));
    }
    if (different.length === 0 || !this.#verified) return true;
    void this.keeper.restore(this.#verified);
    this.#step = this.#verified.step;
    this.#isVerified = true;
    this.#assignment = undefined;
    for (const node of this.#membership.nodes.values()) node.hasState = false;
    return false;
  }

  // ---- an attempt at a step ----

  #assign(computing: readonly number[], segment: SegmentPlan): Assignment {
    const { recipe, dataset } = this.terms;
    const samples = samplesInStep(this.#step % this.#epochSteps, dataset.train.count, recipe.batchSize);
    const ranges = assignShards(shardCount(samples, recipe.shardSize), this.#speedsOf(computing), this.#slack);
    const members = computing.map((node, index) => ({ node, range: ranges[index] as (typeof ranges)[number] }));
    const replicas = [COORDINATOR_ID, ...this.#membership.nodes.keys()];
    const isLast = this.#step + 1 === segment.endStep || this.#isStopping;
    const assignment: Assignment = {
      type: 'assign',
      step: this.#step,
      generation: ++this.#generation,
      members: members.filter(({ range }) => range.end > range.begin),
      owners: [COORDINATOR_ID],
      replicas,
      withHash: isLast || (this.#step + 1) % HASH_EVERY === 0,
    };
    this.#tellShares(assignment);
    return this.#isMeshing(assignment)
      ? { ...assignment, owners: assignment.members.map(({ node }) => node) }
      : assignment;
  }

  /** Where more than a third of a step is communication, ranges are rounded so that fewer sums travel. */
  get #slack(): number {
    const { stepMs, computeMs } = this.#pace;
    return computeMs > 0 && stepMs > 1.5 * computeMs ? LINK_BOUND_SLACK : 1;
  }

  #isMeshing({ members, step }: Assignment): boolean {
    return this.options.topology === 'mesh' && members.length > 1 && step >= this.#starUntil && this.#membership.isMesh;
  }

  async #attempt(assignment: Assignment): Promise<Verdict> {
    const audits = chooseAudits(assignment, this.options.audit);
    const current = audits.length > 0 ? { ...assignment, owners: [COORDINATOR_ID] } : assignment;
    this.#assignment = current;
    this.#applied = new Map();
    this.#deadlines.begin(current);
    for (const { link } of this.#membership.nodes.values()) link.send(current);
    const ended = new Promise<Verdict>((resolve) => {
      this.#endAttempt = () => resolve({ kind: 'again' });
    });
    const watch = setInterval(() => this.#checkDeadlines(current), this.#deadlines.pollMs);
    try {
      return await Promise.race([this.#finish(current, audits), ended]);
    } finally {
      clearInterval(watch);
      this.#endAttempt = () => {};
      this.#wakeApplied = () => {};
    }
  }

  #wakeApplied: () => void = () => {};

  async #finish(assignment: Assignment, audits: ReturnType<typeof chooseAudits>): Promise<Verdict> {
    try {
      const outcome = await this.#participant.run(assignment, audits);
      // a mesh needs everybody's sums until everybody has them; a star may be one step ahead of the slowest
      const isWaiting = assignment.owners.length > 1 || assignment.withHash;
      while (isWaiting ? !this.#isAppliedByAll() : this.#listBehind(assignment.step).length > 0) {
        await new Promise<void>((resolve) => (this.#wakeApplied = resolve));
      }
      return { kind: 'done', outcome };
    } catch (error) {
      if (error instanceof SupersededError) return { kind: 'again' };
      throw error;
    }
  }

  #isAppliedByAll(): boolean {
    return [...this.#membership.nodes.values()].every(({ id, hasState }) => !hasState || this.#applied.has(id));
  }

  /** Nodes that have not applied the steps before this one. */
  #listBehind(step: number): number[] {
    return [...this.#membership.nodes.values()].filter((n) => n.hasState && n.appliedSteps < step).map(({ id }) => id);
  }

  #checkDeadlines(assignment: Assignment): void {
    if (this.#assignment !== assignment) return;
    const others = [...this.#membership.nodes.values()];
    const late = this.#deadlines.findLate(
      assignment,
      others.map(({ id }) => id),
      [
        ...this.#participant.waitsFor(),
        ...this.#listBehind(assignment.step),
        ...(assignment.withHash ? others.filter(({ id }) => !this.#applied.has(id)).map(({ id }) => id) : []),
      ],
    );
    if (late.length === 0) return;
    if (assignment.owners.length > 1 && late.every((id) => this.#deadlines.hasContributed(id))) {
      // a connection between two others may be gone: only a star shows who is late
      this.#starUntil = assignment.step + 100;
      this.#endAttempt();
      return;
    }
    for (const id of late) {
      const node = this.#membership.nodes.get(id);
      const text = `it did not finish step ${assignment.step} within ${(this.#deadlines.limitMs(id) / 1000).toFixed(1)} s; its shards are computed elsewhere.`;
      if (node) this.#membership.evict(node, new LockstepError('LOCKSTEP_NODE_STALLED', text));
    }
  }

  /** Whether the step may be committed. A result that is not finite is computed again, by others where there are any. */
  #checkFinite({ lossSum }: StepOutcome, computing: readonly number[]): boolean {
    if (Number.isFinite(lossSum)) return true;
    this.#suspect(computing.includes(COORDINATOR_ID) ? COORDINATOR_ID : (computing[0] as number));
    return false;
  }

  #suspect(node: number): void {
    this.#notFinite += 1;
    if (this.#notFinite > 1) throw this.#notFiniteError();
    if (node !== COORDINATOR_ID) this.#suspects.add(node);
    else this.#isKeeperSuspect = true;
  }

  #isKeeperSuspect = false;

  #notFiniteError(): LockstepError {
    const epoch = Math.floor(this.#step / this.#epochSteps) + 1;
    return new LockstepError(
      'LOCKSTEP_LOSS_NOT_FINITE',
      `the loss of step ${this.#step} (epoch ${epoch}) is not a finite number, computed twice. Try a lower --learning-rate, or --warmup-steps.`,
    );
  }

  // ---- what nodes say ----

  #take(node: RemoteNode, frame: Frame): void {
    const { message } = frame;
    const isCurrent = 'generation' in message && message.generation === this.#assignment?.generation;
    switch (message.type) {
      case 'partial':
        this.#takePartial(node, frame);
        return;
      case 'reduced':
        this.#participant.receive(node.id, frame);
        return;
      case 'contributed':
        if (!isCurrent || !this.#assignment) return;
        this.#deadlines.noteContributed(node.id);
        node.pace.note(sizeOf(this.#assignment, node.id), message.computeMs);
        return;
      case 'applied':
        node.pace.noteStep(message.stepMs);
        this.#noteTimes(node.id, message.step, message);
        node.appliedSteps = message.step + 1;
        if (isCurrent) this.#applied.set(node.id, message.hash);
        this.#wakeApplied();
        return;
      case 'reachable':
        node.reachable = new Set(message.nodes);
        return;
      case 'fault':
        if (isCurrent) this.#blame(message.node, new LockstepError(message.code as `LOCKSTEP_${string}`, message.text));
        return;
      default:
        throw new LockstepError(
          'LOCKSTEP_NODE_ORDER',
          `it said ${message.type}, which a node that takes part in a run does not say.`,
        );
    }
  }

  #takePartial(node: RemoteNode, frame: Frame): void {
    try {
      this.#participant.receive(node.id, frame);
    } catch (error) {
      if (!(error instanceof LockstepError) || error.code !== 'LOCKSTEP_NODE_NOT_FINITE') throw error;
      this.#blame(node.id, error);
    }
  }

  #blame(id: number, error: LockstepError): void {
    const node = this.#membership.nodes.get(id);
    if (error.code === 'LOCKSTEP_NODE_NOT_FINITE') {
      this.#faults.push(id);
      this.#endAttempt();
    } else if (node) this.#membership.evict(node, error);
  }

  /** Nodes whose sums were not finite in the attempt that has just ended. */
  #faults: number[] = [];

  // ---- who takes part ----

  /** Takes in who waits, and brings to this step whoever is not there. */
  #takeIn(): void {
    for (const id of this.#faults.splice(0, 1)) this.#suspect(id);
    this.#faults = [];
    this.#membership.takeReady();
    const behind = [...this.#membership.nodes.values()].filter(({ hasState }) => !hasState);
    if (behind.length === 0) return;
    const { step, state, slots, average } = this.keeper.readSnapshot();
    const bytes = Buffer.concat([state, ...slots, ...(average ? [average] : [])].map(copyBytes));
    for (const node of behind) {
      for (let offset = 0; offset < bytes.length; offset += MAX_PAYLOAD_BYTES) {
        const piece = bytes.subarray(offset, offset + MAX_PAYLOAD_BYTES);
        node.link.send({ type: 'state', step, offset, total: bytes.length }, piece);
      }
      node.hasState = true;
      node.appliedSteps = step;
    }
  }

  #listComputing(): number[] {
    const others = [...this.#membership.nodes.keys()].filter((id) => !this.#suspects.has(id));
    const isKeeperFree = this.options.isComputing && !(this.#isKeeperSuspect && others.length > 0);
    this.#isKeeperSuspect = false;
    // what nobody else can confirm, the keeper computes even if it should not
    if (others.length === 0 && this.#suspects.size > 0) return [COORDINATOR_ID];
    return isKeeperFree ? [COORDINATOR_ID, ...others] : others;
  }

  /** Waits for nodes, and says so. */
  async #awaitNodes(needed: number, reason: string): Promise<void> {
    let told = -1;
    for (;;) {
      const nodes = [...this.#membership.nodes.values()].length + this.#membership.readyCount;
      if (nodes >= needed || this.#isStopping) return;
      if (nodes !== told) this.options.emit({ event: 'waiting', nodes, needed, reason });
      told = nodes;
      await new Promise<void>((resolve) => (this.#wakeWaiting = resolve));
    }
  }

  /** Speeds by which shards are dealt: measured, and held until they have changed enough. */
  #speedsOf(nodes: readonly number[]): number[] {
    const workersOf = (id: number): number => this.#membership.nodes.get(id)?.workers ?? this.keeper.workers;
    const paceOf = (id: number): Pace => this.#membership.nodes.get(id)?.pace ?? this.#pace;
    const isMeasured = !IS_EVEN && nodes.every((id) => paceOf(id).shardMs !== undefined);
    // who has no shards is not measured any more, so it gets another chance from time to time
    if (this.#step % PROBE_EVERY === 0) for (const id of nodes) if (!this.#sizes.has(id)) this.#speeds.delete(id);
    for (const id of nodes) {
      if (this.#speeds.has(id) && !this.#sizes.has(id)) continue;
      const speed = isMeasured ? 1 / (paceOf(id).shardMs as number) : workersOf(id);
      const held = this.#speeds.get(id);
      const ratio = held === undefined ? Number.POSITIVE_INFINITY : Math.max(speed / held, held / speed);
      if (ratio > REBALANCE) this.#speeds.set(id, speed);
    }
    return nodes.map((id) => this.#speeds.get(id) as number);
  }

  #tellShares({ members, step }: Assignment): void {
    const { batchSize, shardSize } = this.terms.recipe;
    const isFull = members.at(-1)?.range.end === shardCount(batchSize, shardSize);
    const shares = members.map(({ node, range }) => `${node}:${range.end - range.begin}`).join(' ');
    if (!isFull || shares === this.#shares) return;
    this.#shares = shares;
    this.#sizes = new Map(members.map(({ node, range }) => [node, range.end - range.begin]));
    const shards = members.map(({ node, range }) => ({ node: this.#nameOf(node), shards: range.end - range.begin }));
    this.options.emit({ event: 'rebalanced', step, shards });
  }

  #nameOf(id: number): string {
    return id === COORDINATOR_ID ? 'coordinator' : (this.#membership.nodes.get(id)?.name ?? `node ${id}`);
  }

  /** Every node as the progress shows it. */
  describeNodes(): NodeShare[] {
    const { shardSize } = this.terms.recipe;
    const describe = (id: number, pace: Pace): NodeShare =>
      pace.share(this.#nameOf(id), this.#sizes.get(id) ?? 0, shardSize);
    const others = [...this.#membership.nodes.values()].map(({ id, pace }) => describe(id, pace));
    return this.options.isComputing ? [describe(COORDINATOR_ID, this.#pace), ...others] : others;
  }

  /** Called when the step has ended, so that its beginning is known on this clock. */
  #noteTimes(id: number, step: number, { computeMs, updateMs, stepMs }: StepDurations): void {
    if (!this.options.isTimed || this.#steps.length >= MAX_TIMED_STEPS) return;
    this.#steps.push({
      node: this.#nameOf(id),
      worker: undefined,
      step,
      beganMs: performance.now() - stepMs,
      contributeMs: computeMs,
      waitMs: 0,
      exchangeMs: Math.max(0, stepMs - computeMs - updateMs),
      updateMs,
      commitMs: 0,
    });
  }

  takeSteps(): StepTimes[] {
    return this.#steps.splice(0);
  }

  // ---- what the keeper does alone ----

  progress(): SegmentProgress {
    return this.keeper.progress();
  }

  stop(): void {
    this.#isStopping = true;
    this.#wakeWaiting();
  }

  evaluate(split: SplitName, options?: EvaluateOptions): Promise<EvaluatedSplit> {
    return this.keeper.evaluate(split, options);
  }

  readState(): ModelState {
    return this.keeper.readState();
  }

  readAverage(): ModelState | undefined {
    return this.keeper.readAverage();
  }

  readGradient(): readonly Float32Array[] | undefined {
    return this.keeper.readGradient();
  }

  readSnapshot(): NodeSnapshot {
    return this.keeper.readSnapshot();
  }

  restore(snapshot: NodeSnapshot): void {
    void this.keeper.restore(snapshot);
    this.#step = snapshot.step;
    for (const node of this.#membership.nodes.values()) node.hasState = false;
  }

  async close(): Promise<void> {
    this.#membership.close('the run is over');
    await this.keeper.close();
  }
}

/** Shards of a node under an assignment. */
function sizeOf({ members }: Assignment, id: number): number {
  const range = members.find(({ node }) => node === id)?.range;
  return range ? range.end - range.begin : 0;
}

const copyBytes = (floats: Float32Array): Buffer => Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength);
