/**
 * A run's nodes taken together: to the coordinator they are one node whose segments are computed by several.
 *
 * The coordinator's own process always holds a replica, the keeper, even when it computes no shards (`--workers 0`): so
 * a run whose last node has died has lost nothing, and evaluation, checkpoints and the state for nodes that join come
 * from one place. Per step:
 *
 *   take in who waits -> deal shards -> everybody contributes, reduces, updates (worker/participant.ts) -> commit
 *
 * The others are told of the next step while one is under way, and begin it when they have applied that.
 * Whatever goes wrong in a step (a node dies, stalls, breaks a rule) ends the attempt; the step is begun again with who
 * is left, under a new generation, from version t, which everybody still has. The bits are the same whoever computes.
 */

import { LockstepError } from '@lockstep/core/errors';
import type { NodeEvent, NodeShare, StepTimes } from '@lockstep/core/events';
import type { ModelState } from '@lockstep/core/run';
import {
  COORDINATOR_ID,
  type EvaluatedSplit,
  type EvaluateOptions,
  type NodeSnapshot,
  type SegmentPlan,
  type SegmentProgress,
  type SharingNode,
  type SplitName,
  type StepOutcome,
  type StepParticipant,
  type TrainingNode,
} from '@lockstep/core/seams';
import type { MessageOf } from '@lockstep/core/wire';
import type { AdmissionTerms } from '../members/admission.js';
import { AwaitedNodes } from '../members/awaited-nodes.js';
import { Membership } from '../members/membership.js';
import { Replicas } from '../members/replicas.js';
import { notFiniteError, Suspects } from '../members/suspects.js';
import { Ahead, type Deal, needsKeeper } from './ahead.js';
import { sizeOf } from './assignment.js';
import { Attempt, type Verdict } from './attempt.js';
import { chooseAudits } from './audits.js';
import { Deadlines } from './deadlines.js';
import { NodeReports } from './node-reports.js';
import { Shares, type Topology } from './shares.js';
import { TimedSteps } from './timed-steps.js';
import { ToldSteps } from './told-steps.js';

export interface ClusterOptions {
  readonly topology: Topology;
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

export class Cluster implements TrainingNode {
  readonly membership: Membership;
  readonly #shares: Shares;
  readonly #replicas: Replicas;
  readonly #participant: StepParticipant;
  readonly #told = new ToldSteps();
  readonly #deadlines = new Deadlines();
  readonly #suspects = new Suspects();
  readonly #awaited: AwaitedNodes;
  readonly #ahead: Ahead;
  readonly #timed: TimedSteps | undefined;
  readonly #reports: NodeReports;
  #step = 0;
  /** Whether all replicas were compared after the step that was committed last. */
  #isVerified = true;
  #isStarted = false;
  #isStopping = false;

  constructor(
    private readonly keeper: SharingNode,
    private readonly terms: AdmissionTerms,
    private readonly options: ClusterOptions,
  ) {
    this.membership = new Membership(terms, {
      onFrame: (node, frame) => this.#reports.take(node, frame),
      onGone: ({ id }) => {
        this.#deadlines.forget(id);
        this.#participant.forget(id);
        this.#reports.attempt?.end();
      },
      onReady: () => this.#awaited.wake(),
      emit: options.emit,
      stepNow: () => this.#step,
    });
    this.#ahead = new Ahead(this.membership);
    this.#awaited = new AwaitedNodes(this.membership, options.emit, () => this.#isStopping);
    this.#shares = new Shares(terms, this.membership, { ...options, keeperWorkers: keeper.workers });
    this.#replicas = new Replicas(keeper, this.membership);
    this.#timed = options.isTimed ? new TimedSteps() : undefined;
    this.#participant = keeper.share(COORDINATOR_ID, (node) => this.membership.linkTo(node), {
      onContributed: (assignment, ms) => this.#shares.pace.note(sizeOf(assignment, COORDINATOR_ID), ms),
      onFault: (node, error) => this.#reports.blame(node, error),
    });
    this.#reports = new NodeReports({
      membership: this.membership,
      participant: this.#participant,
      told: this.#told,
      ahead: this.#ahead,
      deadlines: this.#deadlines,
      suspects: this.#suspects,
      timed: this.#timed,
      nameOf: (node) => this.#shares.nameOf(node),
      emit: options.emit,
    });
  }

  get workers(): number {
    return this.options.isComputing ? this.keeper.workers : 0;
  }

  get engine(): string {
    return this.keeper.engine;
  }

  async train(segment: SegmentPlan): Promise<SegmentProgress> {
    this.#isStopping = false;
    this.#step = segment.firstStep;
    this.keeper.beginShared(segment);
    this.#replicas.markVerified();
    this.#isVerified = true;
    this.#participant.open();
    try {
      if (!this.#isStarted) {
        await this.#awaited.await(this.options.waitFor, 'the run begins when they are there');
        this.#isStarted = !this.#isStopping;
      }
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
    for (;;) {
      await this.#awaited.hold(this.#step);
      this.membership.takeReady();
      this.#replicas.bringUp();
      const others = [...this.membership.nodes.keys()];
      const computing = this.#suspects.chooseComputing(others, this.options.isComputing);
      if (computing.length === 0) {
        await this.#awaited.await(1, 'no node is left that computes; the run goes on when one comes');
        if (this.#isStopping) return false;
        continue;
      }
      const verdict = await this.#try(computing, segment);
      if (verdict.kind === 'again') this.#ahead.drop();
      if (verdict.kind === 'done' && Number.isFinite(verdict.outcome.lossSum)) {
        this.#commit(verdict.outcome);
        return true;
      }
      if (verdict.kind === 'done') this.#suspects.add(computing[0] as number);
      else if (verdict.needsStar) this.#shares.fallBackToStar(this.#step);
      this.#suspects.settle();
      if (this.#suspects.isConfirmed) throw notFiniteError(this.#step, this.terms);
    }
  }

  /** One attempt at the step; meanwhile the nodes are told of the next one. */
  #try(computing: readonly number[], segment: SegmentPlan): Promise<Verdict> {
    const ahead = this.#ahead.take(this.#step, computing, this.#isLast(this.#step, segment));
    const deal = ahead?.deal ?? this.#tell(this.#deal(this.#step, computing, segment));
    this.#suspects.beginAttempt();
    const attempt = new Attempt(deal.told, this.membership, this.#participant, this.#deadlines);
    this.#reports.attempt = attempt;
    const verdict = attempt.run(deal.audits);
    for (const fault of ahead?.faults ?? []) this.#reports.takeFault(fault);
    const isChanging = this.membership.readyCount > 0 || this.#suspects.list().length > 0;
    if (!this.#isLast(this.#step, segment) && !isChanging) {
      const next = this.#deal(this.#step + 1, computing, segment);
      if (needsKeeper(next.told.assignment)) {
        this.#ahead.keep(this.#tell(next, true));
        if (next.audits.length === 0) this.#participant.foretell(next.told.assignment);
      }
    }
    return verdict;
  }

  /** @param isAhead what it says is needed only after the sums of this step */
  #tell(deal: Deal, isAhead = false): Deal {
    const { assignment } = deal.told;
    // where leaders are in between, no sums go with it
    const isLater = isAhead && assignment.groups.length === 0;
    for (const { link } of this.membership.nodes.values()) {
      if (isLater) link.sendLater(assignment);
      else link.send(assignment);
    }
    return deal;
  }

  #deal(step: number, computing: readonly number[], segment: SegmentPlan): Deal {
    const dealt = this.#shares.assign(step, computing, this.#isLast(step, segment));
    const audits = chooseAudits(dealt, this.options.audit);
    // only who owns every bucket has all that is to be compared
    const assignment = audits.length > 0 ? { ...dealt, owners: [COORDINATOR_ID], groups: [] } : dealt;
    return { told: this.#told.note(assignment), audits, computing };
  }

  #isLast(step: number, segment: SegmentPlan): boolean {
    return step + 1 === segment.endStep || this.#isStopping;
  }

  #commit(outcome: StepOutcome): void {
    const { lossSum, correct, hash } = outcome;
    const applied = this.#reports.attempt?.told.applied ?? new Map();
    this.#reports.attempt = undefined;
    this.#shares.pace.noteStep(outcome);
    this.#timed?.note(this.#shares.nameOf(COORDINATOR_ID), this.#step, outcome);
    for (const id of this.#suspects.list()) {
      const text = 'its result was not a finite number, and others computed one that is.';
      this.membership.evict(id, new LockstepError('LOCKSTEP_NODE_CONTRIBUTION', text));
    }
    const backAt = hash === undefined ? undefined : this.#replicas.compare(this.#step, hash, applied);
    this.#isVerified = hash !== undefined;
    if (backAt !== undefined) {
      this.#ahead.drop();
      this.#step = backAt;
      return;
    }
    this.#step += 1;
    this.keeper.commit(this.#step, lossSum, correct);
    if (this.#isVerified) this.#replicas.markVerified();
  }

  describeNodes(): NodeShare[] {
    return this.#shares.describe();
  }

  takeSteps(): StepTimes[] {
    return this.#timed?.take() ?? [];
  }

  progress(): SegmentProgress {
    return this.keeper.progress();
  }

  stop(): void {
    this.#isStopping = true;
    this.#awaited.wake();
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
    this.keeper.restore(snapshot);
    this.#step = snapshot.step;
    this.#ahead.drop();
    this.#replicas.forget();
  }

  /** @param goodbye what the nodes are told; without one they wait for the coordinator to come back */
  async close(goodbye?: MessageOf<'end'>): Promise<void> {
    this.membership.close(goodbye);
    await this.keeper.close();
  }
}
