/** What nodes say of the steps that they were told of: sums for the keeper, how far they are, and what went wrong. */
import { LockstepError } from '@lockstep/core/errors';
import type { StepParticipant } from '@lockstep/core/seams';
import type { Frame, MessageOf } from '@lockstep/core/wire';
import type { Membership } from '../members/membership.js';
import type { RemoteNode } from '../members/remote-node.js';
import type { Suspects } from '../members/suspects.js';
import type { Ahead } from './ahead.js';
import { sizeOf } from './assignment.js';
import type { Attempt } from './attempt.js';
import type { Deadlines } from './deadlines.js';
import type { TimedSteps } from './timed-steps.js';
import type { ToldSteps } from './told-steps.js';

/** Who is to know of what nodes say. */
export interface Listeners {
  readonly membership: Membership;
  readonly participant: StepParticipant;
  readonly told: ToldSteps;
  readonly ahead: Ahead;
  readonly deadlines: Deadlines;
  readonly suspects: Suspects;
  readonly timed: TimedSteps | undefined;
}

export class NodeReports {
  /** The one that is under way, until its step is committed. */
  attempt: Attempt | undefined;

  constructor(private readonly to: Listeners) {}

  /** @throws LockstepError for what a node must not say */
  take(node: RemoteNode, frame: Frame): void {
    const { message } = frame;
    switch (message.type) {
      case 'partial':
      case 'reduced':
        this.#takeSum(node, frame);
        return;
      case 'contributed':
        this.#noteContributed(node, message);
        return;
      case 'applied':
        this.#noteContributed(node, message);
        node.pace.noteStep(message);
        this.to.timed?.note(node.name, message.step, message);
        node.appliedSteps = message.step + 1;
        this.to.told.find(message.generation)?.applied.set(node.id, message.hash);
        this.attempt?.noteApplied();
        return;
      case 'reachable':
        node.reachable = new Set(message.nodes);
        // sums were lost with the connection
        if (this.attempt?.isAmongNodes && !this.to.membership.isMesh) this.attempt.end();
        return;
      case 'fault':
        if (!this.to.ahead.keepFault(message)) this.takeFault(message);
        return;
      default:
        throw new LockstepError(
          'LOCKSTEP_NODE_ORDER',
          `it said ${message.type}, which a node that takes part in a run does not say.`,
        );
    }
  }

  /** Counts only where it is about the attempt that is under way. */
  takeFault({ generation, node, code, text }: MessageOf<'fault'>): void {
    if (generation !== this.attempt?.assignment.generation) return;
    this.blame(node, new LockstepError(code as `LOCKSTEP_${string}`, text));
  }

  /** Sums that are not finite may be nobody's fault; whoever breaks another rule is sent away. */
  blame(id: number, error: LockstepError): void {
    if (error.code === 'LOCKSTEP_NODE_NOT_FINITE') {
      this.to.suspects.name(id);
      this.attempt?.end();
    } else this.to.membership.evict(id, error);
  }

  #takeSum(node: RemoteNode, frame: Frame): void {
    try {
      this.to.participant.receive(node.id, frame);
    } catch (error) {
      if (!(error instanceof LockstepError) || error.code !== 'LOCKSTEP_NODE_NOT_FINITE') throw error;
      const { generation } = frame.message as MessageOf<'partial' | 'reduced'>;
      // what comes of an attempt that is over was judged with it
      if (generation === this.attempt?.assignment.generation) this.blame(node.id, error);
    }
  }

  /** A step that takes long is told of when its shards are computed, every step when it is applied. */
  #noteContributed(node: RemoteNode, message: MessageOf<'contributed' | 'applied'>): void {
    const told = this.to.told.find(message.generation);
    if (!told || !this.to.deadlines.noteContributed(told, node.id)) return;
    node.pace.note(sizeOf(told.assignment, node.id), message.computeMs);
  }
}
