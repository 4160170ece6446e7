/** What happens to the nodes of a run, in lines for people. */

import type { NodeEvent, NodeShare } from '../events/events.js';
import { countOf } from './count-text.js';

/** One line. */
export function describeNodeEvent(event: NodeEvent): string {
  switch (event.event) {
    case 'listening':
      return `Listening at ${event.url}; on other machines: lockstep worker --connect ${event.url}`;
    case 'node-joined':
      return `Node ${event.node} (${event.address}, ${countOf(event.workers, 'thread')}, ${event.engine}) joins at step ${event.step}`;
    case 'node-left':
      return `Node ${event.node} (${event.address}) is gone at step ${event.step}: ${event.reason}`;
    case 'node-evicted':
      return `Node ${event.node} (${event.address}) is sent away at step ${event.step}: ${event.code}: ${event.reason}`;
    case 'node-refused':
      return `Refused ${event.address}: ${event.code}: ${event.reason}`;
    case 'rebalanced':
      return `Shards from step ${event.step}: ${event.shards.map(({ node, shards }) => `${node} ${shards}`).join(', ')}`;
    case 'waiting':
      return `Waiting for nodes, ${event.nodes} of ${event.needed} are there: ${event.reason}`;
  }
}

/** `coordinator 4 shards 20100/s, lab2 4 shards 19800/s, 12% communication`. */
export function describeShares(nodes: readonly NodeShare[]): string {
  const each = nodes.map(
    ({ node, shards, imagesPerSecond }) => `${node} ${countOf(shards, 'shard')} ${Math.round(imagesPerSecond)}/s`,
  );
  const most = Math.max(0, ...nodes.map(({ communication }) => communication));
  return `${each.join(', ')}, ${Math.round(100 * most)}% communication`;
}
