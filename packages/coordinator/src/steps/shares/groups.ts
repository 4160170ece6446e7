/**
 * Replicas in groups, for the exchange through leaders. A leader takes in and hands out a bucket for each of its group and
 * for each other leader, twice: the least when a group has as many nodes as there are groups.
 */

/**
 * Nodes of a group at most, of so many: the power of two that is nearest to the square root where the nodes can be cut into
 * such groups, since shards of equal nodes are then round ranges of each group, of which less is left to travel.
 */
export function groupSizeOf(nodes: number): number {
  const round = 2 ** Math.round(Math.log2(nodes) / 2);
  return nodes % round === 0 ? round : Math.ceil(Math.sqrt(nodes));
}

/** Cuts replicas, in the order of their shards, into groups of nearly the same size, leaders first. */
export function groupReplicas<T>(replicas: readonly T[], size = groupSizeOf(replicas.length)): T[][] {
  const count = Math.ceil(replicas.length / size);
  const cut = (group: number): number => Math.round((group * replicas.length) / count);
  return Array.from({ length: count }, (_, group) => replicas.slice(cut(group), cut(group + 1)));
}
