/** What nodes say of the steps that they were told of: sums for the keeper, how far they are, and what went wrong. */
import { LockstepError } from '@lockstep/core/errors';
import type { NodeEvent } from '@lockstep/core/events';
import type { StepParticipant } from '@lockstep/core/seams';
import type { Frame, MessageOf } from '@lockstep/core/wire';
import { believed } from '../members/believed.js';
import type { Membership } from '../members/membership.js';
import type { RemoteNode } from '../members/remote-node.js';
import type { Ahead } from './ahead.js';
import type { Attempt } from './attempt.js';
import type { Deadlines } from './deadlines.js';
import { type Accusation, Accusations, couldSee } from './doubts/accusations.js';
import type { Suspects } from './doubts/suspects.js';
import { sizeOf } from './shares/assignment.js';
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
  nameOf(node: number): string;
  emit(event: NodeEvent): void;
}

export class NodeReports {
  /** The one that is under way, until its step is committed. */
  attempt: Attempt | undefined;
  readonly accusations = new Accusations();

  constructor(private readonly to: Listeners) {}

  /** @throws LockstepError for what a node must not say */
  take(node: RemoteNode, frame: Frame): void {
    const { message } = frame;
    if (believed[message.type].when !== 'run') {
      const text = `it said ${message.type}, which a node that takes part in a run does not say.`;
      throw new LockstepError('LOCKSTEP_NODE_ORDER', text);
    }
    switch (message.type) {
      case 'partial':
      case 'reduced':
        this.#takeSum(node, frame);
        return;
      case 'computing':
        this.#noteAtWork(node, message);
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
        this.to.membership.noteReachable(node, message.nodes);
        // sums were lost with the connection
        if (this.attempt?.isAmongNodes && !this.to.membership.isMesh) this.attempt.end();
        return;
      case 'fault':
        this.#accuse({ by: node.id, fault: message });
        return;
    }
  }

  #accuse(accusation: Accusation): void {
    if (!this.to.ahead.keepFault(accusation)) this.takeFault(accusation);
  }

  /** Counts only where it is about the attempt that is under way, which is then made again where all sums come here. */
  takeFault(accusation: Accusation): void {
    const { attempt } = this;
    const { by, fault } = accusation;
    if (attempt === undefined || fault.generation !== attempt.assignment.generation) return;
    const reason = this.accusations.note(accusation);
    if (reason !== undefined) this.to.membership.evict(by, reason);
    if (couldSee(accusation, attempt.assignment)) this.#doubt(fault.node, by, fault.text);
  }

  /**
   * What the coordinator has seen itself. Sums that are not finite may be nobody's fault; whoever breaks another rule is sent
   * away.
   */
  blame(id: number, error: LockstepError): void {
    this.accusations.clear();
    if (error.code === 'LOCKSTEP_NODE_NOT_FINITE') {
      this.to.suspects.name(id);
      this.attempt?.end();
    } else this.to.membership.evict(id, error);
  }

  /** The step is begun again as a star, where the coordinator sees all sums. */
  #doubt(node: number, by: number, reason: string): void {
    const { attempt } = this;
    if (attempt === undefined || !attempt.end(true)) return;
    const [name, accuser] = [node, by].map((id) => this.to.nameOf(id)) as [string, string];
    this.to.emit({ event: 'node-doubted', node: name, by: accuser, step: attempt.assignment.step, reason });
  }

  #takeSum(node: RemoteNode, frame: Frame): void {
    try {
      this.to.participant.receive(node.id, frame);
    } catch (error) {
      if (!(error instanceof LockstepError) || error.code !== 'LOCKSTEP_NODE_NOT_FINITE') throw error;
      const { generation, type } = frame.message as MessageOf<'partial' | 'reduced'>;
      const { attempt } = this;
      // what comes of an attempt that is over was judged with it
      if (generation !== attempt?.assignment.generation) return;
      // sums of sums may be bad though the owner is good: in a star the parts are seen
      if (type === 'reduced' && attempt.isAmongNodes) this.#doubt(node.id, node.id, error.text);
      else this.blame(node.id, error);
    }
  }

  #noteAtWork({ id }: RemoteNode, { generation }: MessageOf<'computing'>): void {
    const told = this.to.told.find(generation);
    if (told && sizeOf(told.assignment, id) > 0) told.atWorkMs.set(id, performance.now());
  }

  /** A step that takes long is told of when its shards are computed, every step when it is applied. */
  #noteContributed(node: RemoteNode, message: MessageOf<'contributed' | 'applied'>): void {
    const told = this.to.told.find(message.generation);
    if (!told || !this.to.deadlines.noteContributed(told, node.id)) return;
    node.pace.note(sizeOf(told.assignment, node.id), message.computeMs);
  }
}
