/** What happens to the nodes of a run, in lines for people. */

import type {
  DoubtedSteps,
  ListeningEvent,
  NodeEvent,
  NodeShare,
  StatesKeptEvent,
  StepSpan,
  WentBackEvent,
} from '../events/node-events.js';
import { countOf } from './count-text.js';
import { fixed } from './number-text.js';

/** One line; of a port that is open, one for each address that others may use. */
export function describeNodeEvent(event: NodeEvent): string {
  switch (event.event) {
    case 'listening':
      return describeListening(event);
    case 'node-joined':
      return `Node ${event.node} (${event.address}, ${countOf(event.workers, 'thread')}, ${event.engine}) joins at step ${event.step}`;
    case 'node-left':
      return `Node ${event.node} (${event.address}) is gone at step ${event.step}: ${event.reason}`;
    case 'node-evicted':
      return `Node ${event.node} (${event.address}) is sent away at step ${event.step}: ${event.code}: ${event.reason}`;
    case 'node-doubted':
      return `Step ${event.step} is begun again, with all sums through the coordinator: ${event.by} says of ${event.node}: ${event.reason}`;
    case 'states-kept':
      return describeKept(event);
    case 'went-back':
      return `The run goes back from step ${event.from} to step ${event.step}, ${describeWhy(event)}`;
    case 'steps-doubted':
      return `${describeDoubted([event])}, which was found lying: the result is in doubt. With --audit 0.05 the run goes back instead`;
    case 'node-refused':
      return `Refused ${event.address}: ${event.code}: ${event.reason}${event.more === undefined ? '' : ` (and ${countOf(event.more, 'other connection')} since the last line like this)`}`;
    case 'node-pardoned':
      return `${event.node} is pardoned, as ${event.address} asked: strikes of ${countOf(event.count, 'node')} are taken back`;
    case 'rebalanced':
      return `Shards from step ${event.step}: ${event.shards.map(({ node, shards }) => `${node} ${shards}`).join(', ')}`;
    case 'waiting':
      return `Waiting for nodes, ${event.nodes} of ${event.needed} are there: ${event.reason}`;
  }
}

const describeWhy = ({ node }: WentBackEvent): string =>
  node === undefined
    ? 'since its numbers are no longer finite: all since then is computed by the coordinator too'
    : `to before ${node} took part: all since then is computed again without it`;

function describeKept({ at, bytes }: StatesKeptEvent): string {
  if (at.length === 0) return 'Every node is checked: no state is kept to go back to';
  const states = at.map((steps) => `the state after ${countOf(steps, 'step')}`).join(' and ');
  const size = fixed(bytes / 2 ** 20, 1);
  return `Kept in memory, until who joined there is checked: ${states} (${size} MiB)`;
}

/** `Steps 5 to 15 hold sums of lab2`; of a step alone `Step 5 holds sums of lab2`. */
export function describeDoubted(doubted: readonly DoubtedSteps[]): string {
  const texts = doubted.map(({ node, firstStep, endStep }) =>
    endStep - firstStep === 1
      ? `step ${firstStep} holds sums of ${node}`
      : `steps ${firstStep} to ${endStep - 1} hold sums of ${node}`,
  );
  const text = texts.join(', ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** `steps 0 to 39 hold sums of other nodes that were not computed again`. */
export function describeUnaudited({ firstStep, endStep }: StepSpan): string {
  const steps = endStep - firstStep === 1 ? `step ${firstStep} holds` : `steps ${firstStep} to ${endStep - 1} hold`;
  return `${steps} sums of other nodes that were not computed again`;
}

/** With lines that can be pasted as they are. */
function describeListening({ url, reachable, flags }: ListeningEvent): string {
  const commandFor = (address: string): string => `lockstep worker --connect ${address}${flags && ` ${flags}`}`;
  const [first, ...more] = reachable;
  if (first === undefined) return `Listening at ${url}, for this machine alone; on it: ${commandFor(url)}`;
  if (more.length === 0) return `Listening at ${url}; on other machines: ${commandFor(first)}`;
  const lines = reachable.map((address) => `\n  ${commandFor(address)}`);
  return `Listening at ${url}; on other machines, whichever address they reach:${lines.join('')}`;
}

/** `coordinator 4 shards 20100/s, lab2 4 shards 19800/s, 12% communication`. */
export function describeShares(nodes: readonly NodeShare[]): string {
  const each = nodes.map(
    ({ node, shards, imagesPerSecond }) => `${node} ${countOf(shards, 'shard')} ${Math.round(imagesPerSecond)}/s`,
  );
  const most = Math.max(0, ...nodes.map(({ communication }) => communication));
  return `${each.join(', ')}, ${Math.round(100 * most)}% communication`;
}
