/**
 * The exchange of a shared step as stages of a pipeline, one for each topology: worker/src/exchange/participant.ts, in numbers.
 *
 * A round moves one bucket for every owner. N nodes, p canonical partial sums of the busiest node, b bytes of a bucket:
 *
 *   swap          both nodes: send p, receive p, fold, update
 *   star          node: send p      coordinator: receive p (of the last node), fold, send N-1      node: receive, update
 *   mesh          every node: send (N-1)p, receive (N-1)p, fold, send N-1, receive N-1, update N buckets
 *   hierarchical  member: send to its leader -> leaders fold, then a mesh of leaders -> leader: send to its members
 */
import type { Share, Stage } from './pipeline.js';

/** Seconds. */
export interface MessageCosts {
  readonly send: number;
  readonly receive: number;
  readonly sendByte: number;
  readonly receiveByte: number;
}

export interface ExchangeCase {
  /** That hold a replica; all compute. */
  readonly nodes: number;
  /** Shards make partial sums: of the busiest node, of the first, of all others together. */
  readonly mostSums: number;
  readonly firstSums: number;
  readonly otherSums: number;
  /** Of a contribution. */
  readonly bytes: number;
  /** Of a bucket at most. */
  readonly bucketBytes: number;
  readonly bytesPerSecond: number;
  readonly message: MessageCosts;
  /** Seconds for one vector, and for a command. */
  readonly foldVector: number;
  readonly updateVector: number;
  readonly order: number;
  /** Of the coordinator's main thread, to tell all nodes of the next step. */
  readonly assigning: number;
  readonly threads: number;
  /** Cores that all nodes share, when they are processes of one machine. */
  readonly sharedCores: number | undefined;
}

export interface Exchange {
  readonly stages: readonly Stage[];
  readonly rounds: number;
  /** Bytes per step, payloads alone: through the busiest network card, each way, and in all. */
  readonly busiestBytes: number;
  readonly totalBytes: number;
  /** Connections of the node that has most. */
  readonly connections: number;
}

/** Cuts so many bytes into rounds of one bucket for each owner. */
function cutRounds({ bytes, bucketBytes }: ExchangeCase, owners: number): { rounds: number; bucket: number } {
  const rounds = Math.max(1, Math.ceil(bytes / owners / bucketBytes));
  return { rounds, bucket: bytes / owners / rounds };
}

/** A kind of node, and what it does in a round. */
class Actor {
  constructor(
    private readonly one: ExchangeCase,
    readonly name: string,
    private readonly bucket: number,
    /** Nodes that do this at the same time. */
    private readonly count: number,
  ) {}

  /** Sends and receives so many buckets. */
  handle(sent: number, received: number): Stage {
    const { send, sendByte, receive, receiveByte } = this.one.message;
    const seconds = sent * (send + sendByte * this.bucket) + received * (receive + receiveByte * this.bucket);
    return this.#compute('main thread', seconds, 1, sent + received);
  }

  /** Keeps the main thread busy with something that is no bucket. */
  handleOther(seconds: number): Stage {
    return this.#compute('main thread', seconds, 1, 1);
  }

  /** One direction of the cable. */
  carry(direction: 'sending' | 'receiving', buckets: number): Share {
    const seconds = (buckets * this.bucket) / this.one.bytesPerSecond;
    return { of: `${this.name} ${direction}`, seconds, messages: buckets };
  }

  /** Adds up so many vectors of `buckets` buckets, or applies the optimizer to them. */
  work(vectors: number, perVector: number, buckets = 1): Stage {
    const part = (this.bucket * buckets) / this.one.bytes;
    return this.#compute('threads', vectors * perVector * part + buckets * this.one.order, this.one.threads, buckets);
  }

  /** Processor time of one node: longer where nodes share cores, and the cores are busy for all of them. */
  #compute(part: string, seconds: number, threads: number, messages: number): Stage {
    const { sharedCores } = this.one;
    const of = `${this.name} ${part}`;
    if (sharedCores === undefined) return { shares: [{ of, seconds, messages }] };
    const crowd = (this.count * threads) / sharedCores;
    return {
      shares: [{ of, seconds: seconds * Math.max(1, crowd), messages }],
      aside: [{ of: 'shared cores', seconds: seconds * crowd, messages }],
    };
  }
}

/** One kind of node sends so many buckets each, another receives so many. */
const transfer = (from: Actor, sent: number, to: Actor, received: number): Stage =>
  merge(...(from === to ? [from.handle(sent, received)] : [from.handle(sent, 0), to.handle(0, received)]), {
    shares: [],
    cables: [from.carry('sending', sent), to.carry('receiving', received)],
  });

const merge = (...stages: readonly Stage[]): Stage => ({
  shares: stages.flatMap(({ shares }) => shares),
  cables: stages.flatMap(({ cables = [] }) => cables),
  aside: stages.flatMap(({ aside = [] }) => aside),
});

/**
 * Each node of a star or a group gets the result after the one before it, so it begins with the next step later and is
 * done later: when the last has computed its shards, the sums of all others have been received. They keep resources busy;
 * nobody waits for them.
 */
function gather(node: Actor, center: Actor, sums: number, allSums: number): Stage {
  const earlier = Math.max(0, allSums - sums);
  const onCable: Stage = { shares: [center.carry('receiving', earlier)] };
  return withAside(withAside(transfer(node, sums, center, sums), center.handle(0, earlier)), onCable);
}

/** Two nodes that send each other their sums. */
export function planSwap(one: ExchangeCase): Exchange {
  const { mostSums, firstSums, otherSums, bytes, foldVector, updateVector } = one;
  const { rounds, bucket } = cutRounds(one, 1);
  const node = new Actor(one, 'node', bucket, 2);
  const sums = firstSums + otherSums;
  return {
    rounds,
    stages: [transfer(node, mostSums, node, mostSums), node.work(sums, foldVector), node.work(1, updateVector)],
    busiestBytes: bytes * mostSums,
    totalBytes: bytes * sums,
    connections: 1,
  };
}

export function planStar(one: ExchangeCase): Exchange {
  const { nodes, mostSums, firstSums, otherSums, bytes, foldVector, updateVector } = one;
  const { rounds, bucket } = cutRounds(one, 1);
  const others = nodes - 1;
  const coordinator = new Actor(one, 'coordinator', bucket, 1);
  const node = new Actor(one, 'node', bucket, others);
  const everybody = new Actor(one, 'node', bucket, nodes);
  return {
    rounds,
    stages: [
      withAside(gather(node, coordinator, mostSums, otherSums), coordinator.handleOther(one.assigning / rounds)),
      withAside(coordinator.work(firstSums + otherSums, foldVector), coordinator.work(1, updateVector)),
      transfer(coordinator, others, node, 1),
      everybody.work(1, updateVector),
    ],
    busiestBytes: bytes * Math.max(otherSums, others),
    totalBytes: bytes * (otherSums + others),
    connections: others,
  };
}

export function planMesh(one: ExchangeCase): Exchange {
  const { nodes, mostSums, firstSums, otherSums, bytes, foldVector, updateVector } = one;
  const { rounds, bucket } = cutRounds(one, nodes);
  const node = new Actor(one, 'node', bucket, nodes);
  const others = nodes - 1;
  const sums = firstSums + otherSums;
  return {
    rounds,
    stages: [
      transfer(node, others * mostSums, node, others * mostSums),
      node.work(sums, foldVector),
      transfer(node, others, node, others),
      node.work(1, updateVector, nodes),
    ],
    busiestBytes: (bytes / nodes) * others * (mostSums + 1),
    totalBytes: (bytes / nodes) * others * (sums + nodes),
    connections: others,
  };
}

export interface Groups {
  /** Nodes of a group, its leader among them. */
  readonly size: number;
  readonly leaders: number;
  /** Partial sums that a leader has left after folding its group's: of the busiest, of all. */
  readonly mostSums: number;
  readonly sums: number;
}

/** Leaders own the buckets; there are no more owners than buckets, so that a small vector stays whole. */
export function planHierarchy(one: ExchangeCase, { size, leaders, mostSums, sums }: Groups): Exchange {
  const { nodes, bytes, bucketBytes, foldVector, updateVector } = one;
  const owners = Math.min(leaders, Math.max(1, Math.ceil(bytes / bucketBytes)));
  const { rounds, bucket } = cutRounds(one, owners);
  const members = size - 1;
  const peers = leaders - 1;
  const member = new Actor(one, 'member', bucket, nodes - leaders);
  const leader = new Actor(one, 'leader', bucket, leaders);
  // the busiest leader owns a bucket: it sends its sums to the other owners, and the result to every leader
  const others = owners - 1;
  return {
    rounds,
    stages: [
      gather(member, leader, owners * one.mostSums, members * owners * one.mostSums),
      leader.work(size * one.mostSums, foldVector, owners),
      transfer(leader, others * mostSums, leader, peers * mostSums),
      leader.work(sums, foldVector),
      transfer(leader, peers, leader, others),
      transfer(leader, members * owners, member, owners),
      new Actor(one, 'member', bucket, nodes).work(1, updateVector, owners),
    ],
    busiestBytes: bytes * members * one.mostSums + (bytes / owners) * (others * mostSums + peers),
    totalBytes: bytes * ((nodes - leaders) * (one.mostSums + 1) + peers * (mostSums + 1)),
    connections: members + peers,
  };
}

/** Keeps resources busy with what another stage would take. */
const withAside = (stage: Stage, other: Stage): Stage => ({
  ...stage,
  aside: [...(stage.aside ?? []), ...other.shares, ...(other.aside ?? [])],
});
