/**
 * Which way the sums of a step go: up to the node that finishes the reduction of a bucket, its owner, and from there down
 * to every replica.
 *
 *   star, mesh     everybody is next to every owner
 *   hierarchical   the replicas stand in groups, of which the first leads: it adds up the sums of its group, sends what is
 *                  left to the owners, which are leaders, and passes finished sums on
 *   swap           nobody owns anything: each replica gets the sums of all others and finishes all of it by itself, which
 *                  spares the way down
 */
import type { Assignment } from '@lockstep/core/wire';

export interface Routes {
  /** The group that this node leads, without it: nodes whose sums go up through this one. */
  readonly members: readonly number[];
  /** The other groups, each with its leader first. */
  readonly others: readonly (readonly number[])[];
  /** To whom this node sends its sums of an owner's buckets; nobody, if it is the owner. The first sends the finished sum. */
  up(owner: number): readonly number[];
  /** To whom this node hands the finished sums of an owner. */
  below(owner: number): readonly number[];
}

export function planRoutes({ owners, replicas, groups }: Assignment, me: number): Routes {
  const all = groups.length > 0 ? groups : replicas.map((node) => [node]);
  const own = all.find((group) => group.includes(me)) ?? [me];
  const leader = own[0] as number;
  if (leader !== me) return { members: [], others: [], up: () => [leader], below: () => [] };
  const members = own.slice(1);
  const others = all.filter((group) => group !== own);
  const leaders = others.map(([first]) => first as number);
  if (owners.length === 0) return { members, others, up: () => leaders, below: () => [] };
  const everybody = [...leaders, ...members];
  return {
    members,
    others,
    up: (owner) => (owner === me ? [] : [owner]),
    below: (owner) => (owner === me ? everybody : members),
  };
}
