/**
 * Which way the sums of a step go: up to the node that finishes the reduction of a bucket, its owner, and from there down
 * to every replica. In a star and in a mesh everybody is next to everybody. Where the replicas are in groups, only the
 * first of each, its leader, is: it adds up the sums of its group, sends what is left to the owners, which are leaders,
 * and passes finished sums on.
 */
import type { Assignment } from '@lockstep/core/wire';

export interface Routes {
  /** The group that this node leads, without it: nodes whose sums go up through this one. */
  readonly members: readonly number[];
  /** The other groups, each with its leader first. */
  readonly others: readonly (readonly number[])[];
  /** The next node on the way to a bucket's owner, from which the finished sum comes as well; this one if it is the owner. */
  next(owner: number): number;
  /** To whom this node hands the finished sums of an owner. */
  below(owner: number): readonly number[];
}

export function planRoutes({ replicas, groups }: Assignment, me: number): Routes {
  const all = groups.length > 0 ? groups : replicas.map((node) => [node]);
  const own = all.find((group) => group.includes(me)) ?? [me];
  const leader = own[0] as number;
  if (leader !== me) return { members: [], others: [], next: () => leader, below: () => [] };
  const members = own.slice(1);
  const others = all.filter((group) => group !== own);
  const everybody = [...others.map(([first]) => first as number), ...members];
  return { members, others, next: (owner) => owner, below: (owner) => (owner === me ? everybody : members) };
}
