/**
 * What follows from what one node says of another; members/believed.ts has all that a node may say.
 *
 * | who says it | of whom | what follows |
 * |---|---|---|
 * | a node to which the other sends sums | the other's sums | the attempt is made again as a star, where all sums come here |
 * | any other node, or of any other | | nothing; it has accused in vain |
 * | the coordinator, of what came to it | its sender | it is sent away; for sums that are not finite see suspects.ts |
 *
 * Nothing that one node says ends a run or sends another away. One that goes on accusing in vain is sent away itself.
 */
import { LockstepError } from '@lockstep/core/errors';
import { type Assignment, isAmongNodes, type MessageOf } from '@lockstep/core/wire';

export interface Accusation {
  readonly by: number;
  readonly fault: MessageOf<'fault'>;
}

/** Accusations after which nothing was found. */
const MOST_IN_VAIN = 3;

/** Whether the accused sends sums to the accuser in this attempt, who can so have seen what it says. */
export function couldSee({ by, fault: { node } }: Accusation, assignment: Assignment): boolean {
  const { members, replicas } = assignment;
  const sends = members.some((member) => member.node === node) || assignment.owners.includes(node);
  return isAmongNodes(assignment) && by !== node && sends && replicas.includes(by);
}

export class Accusations {
  readonly #inVain = new Map<number, number>();

  /**
   * A node has accused another; if it was right, the coordinator finds it out by itself.
   *
   * @returns why the accuser is to be sent away, if it is
   */
  note({ by }: Accusation): LockstepError | undefined {
    const count = (this.#inVain.get(by) ?? 0) + 1;
    this.#inVain.set(by, count);
    if (count < MOST_IN_VAIN) return undefined;
    return new LockstepError(
      'LOCKSTEP_NODE_ORDER',
      `it said ${count} times that another node broke a rule, and nobody else has seen that.`,
    );
  }

  /** A node is gone. */
  forget(node: number): void {
    this.#inVain.delete(node);
  }

  /** Nodes that have accused in vain. */
  get size(): number {
    return this.#inVain.size;
  }

  /** The coordinator has seen for itself that a node breaks rules: who accused may have been right. */
  clear(): void {
    this.#inVain.clear();
  }
}
