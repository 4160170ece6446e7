/** What a run tells of its nodes: who came, left, was sent away or doubted, and which steps that leaves in question. */

/** A node takes part from here on. */
export interface NodeJoinedEvent {
  readonly event: 'node-joined';
  readonly node: string;
  readonly address: string;
  readonly workers: number;
  readonly engine: string;
  /** First step that it takes part in, from 0. */
  readonly step: number;
}

/** A node that has gone of itself, or whose connection was lost. */
export interface NodeLeftEvent {
  readonly event: 'node-left';
  readonly node: string;
  readonly address: string;
  readonly step: number;
  readonly reason: string;
}

/** A node that was sent away. */
export interface NodeEvictedEvent {
  readonly event: 'node-evicted';
  readonly node: string;
  readonly address: string;
  readonly step: number;
  readonly code: string;
  readonly reason: string;
}

/** A node that another says has broken a rule: the step is begun again where the coordinator sees all sums itself. */
export interface NodeDoubtedEvent {
  readonly event: 'node-doubted';
  readonly node: string;
  /** Who says so; the node itself where its finished sums are not numbers, which may be another's fault. */
  readonly by: string;
  readonly step: number;
  readonly reason: string;
}

/** With --audit: the states that are kept in memory to go back to, until who joined there is checked. */
export interface StatesKeptEvent {
  readonly event: 'states-kept';
  /** After how many steps each was, ascending; none: nothing is kept any more. */
  readonly at: readonly number[];
  /** Of all of them. */
  readonly bytes: number;
}

/**
 * With --audit: a node was found lying, and all that it has had a part in is computed again without it. Or the run has come
 * to numbers that are not finite, and what other nodes had a part in is computed again by the coordinator too.
 */
export interface WentBackEvent {
  readonly event: 'went-back';
  /** That was found lying; absent: nobody was, the run has come to numbers that are not finite. */
  readonly node?: string;
  /** Steps committed now: from before that. What was told of later ones does not count any more. */
  readonly step: number;
  /** Epochs completed now. */
  readonly epochs: number;
  /** Steps that had been committed. */
  readonly from: number;
}

/** Steps [firstStep, endStep). */
export interface StepSpan {
  readonly firstStep: number;
  readonly endStep: number;
}

/** Steps that hold sums of a node which was found lying later, and that nobody has computed again. */
export interface DoubtedSteps extends StepSpan {
  readonly node: string;
}

/** Without --audit: a node was found lying, and nobody computes again what it has had a part in. */
export interface StepsDoubtedEvent extends DoubtedSteps {
  readonly event: 'steps-doubted';
}

/** Strikes of nodes were taken back, by `lockstep peers --pardon`. */
export interface NodePardonedEvent {
  readonly event: 'node-pardoned';
  /** The name, or the address, that was pardoned. */
  readonly node: string;
  /** Who asked for it. */
  readonly address: string;
  /** Nodes that go by that name or come from that address. */
  readonly count: number;
}

/** A connection that did not become a node. */
export interface NodeRefusedEvent {
  readonly event: 'node-refused';
  readonly address: string;
  readonly code: string;
  readonly reason: string;
  /** Others since the last event of this kind, which came too fast to be told one by one. */
  readonly more?: number;
}

/** Shards per full step are dealt out anew. */
export interface RebalancedEvent {
  readonly event: 'rebalanced';
  readonly step: number;
  readonly shards: readonly { readonly node: string; readonly shards: number }[];
}

/** The run stands still until a node comes. */
export interface WaitingEvent {
  readonly event: 'waiting';
  readonly nodes: number;
  readonly needed: number;
  readonly reason: string;
}

/** The port is open. */
export interface ListeningEvent {
  readonly event: 'listening';
  /** `ws://10.0.0.5:7400`; with the host that was asked for, which may stand for every address. */
  readonly url: string;
  /** Under which other machines reach it; empty when it listens for this machine alone. */
  readonly reachable: readonly string[];
  /** What a node needs beside the address: `--token-file secret`; empty if nothing. */
  readonly flags: string;
}

/** Something happened to the nodes of the run; the result does not depend on it. */
export type NodeEvent =
  | ListeningEvent
  | NodeJoinedEvent
  | NodeLeftEvent
  | NodeEvictedEvent
  | NodeDoubtedEvent
  | StatesKeptEvent
  | WentBackEvent
  | StepsDoubtedEvent
  | NodeRefusedEvent
  | NodePardonedEvent
  | RebalancedEvent
  | WaitingEvent;

/** A node as the progress shows it. */
export interface NodeShare {
  readonly node: string;
  /** Shards of a full step. */
  readonly shards: number;
  readonly imagesPerSecond: number;
  /** Share of its step that the node spent on communication, beside what it did while it was computing. */
  readonly communication: number;
  /** Milliseconds of a step from the first sums that the node sent until it had applied it; 0 if it sends none. */
  readonly exchangeMs: number;
}
