/** The port that a node tells for a mesh: who is sent there, and how often it is called. */
import { expect, it } from 'vitest';
import { useFixture } from '../support/cluster-fixture.ts';
import { HostileNode, learnSelfTest } from './hostile-node.ts';

const fixture = useFixture(1);
/** Where nobody listens; nobody calls either, since these nodes are ours. */
const PORTS = [9, 10, 11];

it('cases: peers 25: one node is sent to a port that another tells, the others when that has found the run there', async () => {
  const selfTest = await learnSelfTest(fixture);
  const run = fixture.listen(1, ['--topology', 'mesh', '--wait-for', '3', '--workers', '0']);
  const url = await run.url();
  const nodes = PORTS.map(() => new HostileNode(url));
  const joining: Promise<unknown>[] = [];
  for (const [index, node] of nodes.entries()) {
    joining.push(node.join(selfTest, { name: `node ${index}`, meshPort: PORTS[index] as number }));
    if (index < 2) await run.event('waiting', undefined, (event) => event['nodes'] === index + 1);
  }
  await Promise.all(joining);
  const [first, second, third] = nodes as [HostileNode, HostileNode, HostileNode];
  /** Whom a node is to call. */
  const toldTo = async (node: HostileNode): Promise<number[]> =>
    (await node.next('peers')).message.peers.filter(({ url }) => url !== undefined).map((peer) => peer.node);
  expect(await toldTo(first)).toEqual([]);
  expect(await toldTo(second)).toEqual([first.id]);
  expect(await toldTo(third)).toEqual([second.id]);
  // its word counts for the one that it was sent to, not for others
  third.send({ type: 'reachable', nodes: [first.id, second.id] });
  expect(await toldTo(second)).toEqual([first.id]);
  expect(await toldTo(third)).toEqual([second.id]);
  second.send({ type: 'reachable', nodes: [first.id] });
  expect(await toldTo(second)).toEqual([first.id]);
  expect((await toldTo(third)).sort()).toEqual([first.id, second.id]);
  run.kill('SIGKILL');
});
