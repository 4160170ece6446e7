/**
 * A run's nodes taken together: to the coordinator they are one node whose segments are computed by several.
 *
 * The coordinator's own process always holds a replica, the keeper, even when it computes no shards (`--workers 0`): so
 * a run whose last node has died has lost nothing, and evaluation, checkpoints and the state for nodes that join come
 * from one place. Per step:
 *
 *   take in who waits -> deal shards -> everybody contributes, reduces, updates (worker/participant.ts) -> commit
 *
 * The others are told of the next step while one is under way, and begin it when they have applied that. Whatever goes
 * wrong in a step ends the attempt; it is begun again with who is left, under a new generation, from version t, which
 * everybody still has. The bits are the same whoever computes.
 */
import type { DoubtedSteps, NodeEvent, NodeShare, StepSpan, StepTimes } from '@lockstep/core/events';
import type { ModelState } from '@lockstep/core/run';
import {
  COORDINATOR_ID,
  type EvaluatedSplit,
  type EvaluateOptions,
  isDivergence,
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
import { Ahead } from './ahead.js';
import { Attempt, type Verdict } from './attempt.js';
import { Deadlines } from './deadlines.js';
import { Dealer } from './dealer.js';
import { GoingBack } from './doubts/going-back.js';
import { notFiniteError, Suspects, wrongSumError } from './doubts/suspects.js';
import { NodeReports } from './node-reports.js';
import { sizeOf } from './shares/assignment.js';
import { Shares, type Topology } from './shares/shares.js';
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
  readonly #dealer: Dealer;
  readonly #replicas: Replicas;
  readonly #participant: StepParticipant;
  readonly #told = new ToldSteps();
  readonly #deadlines;
  readonly #suspects = new Suspects();
  readonly #awaited: AwaitedNodes;
  readonly #ahead: Ahead;
  readonly #timed: TimedSteps | undefined;
  readonly #reports: NodeReports;
  readonly #back: GoingBack;
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
      onGone: ({ id }, code) => {
        this.#back.way.leave(id, code, this.#step);
        this.#deadlines.forget(id);
        this.#participant.forget(id);
        this.#reports.accusations.forget(id);
        this.#reports.attempt?.end();
      },
      onAdmitted: (node) => this.#replicas.offer(node),
      onReady: () => this.#awaited.wake(),
      emit: options.emit,
      stepNow: () => this.#step,
    });
    this.#deadlines = new Deadlines(terms.recipe.shardSize);
    this.#ahead = new Ahead(this.membership);
    this.#awaited = new AwaitedNodes(this.membership, options.emit, () => this.#isStopping);
    this.#shares = new Shares(terms, this.membership, { ...options, keeperWorkers: keeper.workers });
    this.#replicas = new Replicas(keeper, this.membership, () => this.#deadlines.stateMs);
    this.#back = new GoingBack(keeper, this.#replicas, this.#ahead, terms, options);
    this.#dealer = new Dealer(this.#shares, this.#told, this.#ahead, this.membership, options.audit, this.#back);
    this.#timed = options.isTimed ? new TimedSteps() : undefined;
    this.#participant = keeper.share(COORDINATOR_ID, (node) => this.membership.linkTo(node), {
      onContributed: (assignment, ms) => {
        this.#shares.pace.note(sizeOf(assignment, COORDINATOR_ID), ms);
        this.#deadlines.noteOwn(assignment, ms);
      },
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
      await this.#participant.close();
    } catch (error) {
      await this.#participant.close();
      if (!isDivergence(error) || this.retrace() === undefined) throw error;
    }
    if (this.#back.way.isDue(this.#step)) this.#step = this.#back.fromLiars(this.#step);
    return this.progress();
  }

  /** @returns whether it went on to the end; false when it was stopped while no node was there, or is to go back */
  async #runStep(segment: SegmentPlan): Promise<boolean> {
    this.#suspects.clear();
    for (;;) {
      if (this.#back.way.isDue(this.#step)) return false;
      await this.#awaited.hold(this.#step);
      const joined = this.membership.takeReady((node) => this.#replicas.mayJoin(node));
      const state = this.#replicas.bringUp();
      if (state) this.#back.way.join(joined, state);
      const isComputing = this.options.isComputing || this.membership.areAllOnProbation;
      const computing = this.#suspects.chooseComputing(this.membership.listTrusted(), isComputing);
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
      if (verdict.kind === 'done') this.#suspects.name(computing[0] as number);
      else if (verdict.needsStar) this.#shares.fallBackToStar(this.#step);
      this.#suspects.settle(computing);
      if (this.#suspects.isConfirmed) throw notFiniteError(this.#step, this.terms, this.#back.describeRest());
    }
  }

  /** One attempt at the step; meanwhile the nodes are told of the next one. */
  #try(computing: readonly number[], segment: SegmentPlan): Promise<Verdict> {
    const isLast = this.#isLast(this.#step, segment);
    const { deal, faults } = this.#dealer.begin(this.#step, computing, isLast);
    this.#suspects.beginAttempt();
    const attempt = new Attempt(deal.told, deal.audits, this.membership, this.#participant, this.#deadlines);
    this.#reports.attempt = attempt;
    const verdict = attempt.run();
    for (const fault of faults) this.#reports.takeFault(fault);
    const isChanging = this.membership.readyCount > 0 || this.#suspects.list().length > 0;
    if (!isLast && !isChanging) {
      const next = this.#dealer.foretell(this.#step + 1, computing, this.#isLast(this.#step + 1, segment));
      if (next?.audits.length === 0) this.#participant.foretell(next.told.assignment);
    }
    return verdict;
  }

  #isLast(step: number, segment: SegmentPlan): boolean {
    return step + 1 === segment.endStep || this.#isStopping;
  }

  #commit(outcome: StepOutcome): void {
    const { lossSum, correct, hash } = outcome;
    const { attempt } = this.#reports;
    const applied = attempt?.told.applied ?? new Map();
    this.#reports.attempt = undefined;
    this.#shares.pace.noteStep(outcome);
    this.#timed?.note(this.#shares.nameOf(COORDINATOR_ID), this.#step, outcome);
    for (const id of this.#suspects.list()) {
      this.#back.way.excuse(id);
      this.membership.evict(id, wrongSumError());
    }
    const backAt = hash === undefined ? undefined : this.#replicas.compare(this.#step, hash, applied);
    this.#isVerified = hash !== undefined;
    if (backAt !== undefined) {
      this.#step = backAt;
      this.#back.rewind(backAt);
      return;
    }
    this.#step += 1;
    this.keeper.commit(this.#step, lossSum, correct);
    if (attempt) this.#back.noteStep(attempt, this.#isVerified ? [...applied.keys()] : []);
    if (this.#isVerified) this.#replicas.markVerified();
  }

  describeNodes(): NodeShare[] {
    return this.#shares.describe();
  }

  waysBack(): readonly number[] {
    return this.#back.way.steps;
  }

  doubted(): readonly DoubtedSteps[] {
    return this.#back.way.listDoubted(this.#step);
  }

  unaudited(): { readonly isAuditing: boolean; readonly steps?: StepSpan } {
    const steps = this.#back.unaudited;
    return { isAuditing: this.options.audit > 0, ...(steps && { steps }) };
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
    this.#back.restore(snapshot);
    this.#step = snapshot.step;
  }

  retrace(): number | undefined {
    const backAt = this.#back.fromDivergence(this.#step);
    this.#step = backAt ?? this.#step;
    return backAt;
  }

  /** @param goodbye what the nodes are told; without one they wait for the coordinator to come back */
  async close(goodbye?: MessageOf<'end'>): Promise<void> {
    this.membership.close(goodbye);
    await this.keeper.close();
  }
}
