/** Who is in a run of several machines, who broke its rules and who was turned away. */
export interface Roster {
  readonly run: string;
  /** Steps that are committed. */
  readonly step: number;
  readonly nodes: readonly RosterNode[];
  /** Those that broke rules, by what they called themselves, with the last of these. */
  readonly struck: readonly RosterStruck[];
  /** Connections that were turned away, the latest first. */
  readonly refused: readonly RosterRefused[];
  /** Nodes whose strikes were taken back, as was asked. */
  readonly pardoned: number;
}

export interface RosterNode {
  readonly name: string;
  readonly address: string;
  readonly workers: number;
  readonly engine: string;
  /** `waiting` until the next step begins; one on probation gets no shards until its replica was compared. */
  readonly state: 'takes part' | 'on probation' | 'waiting';
}

export interface RosterStruck {
  readonly name: string;
  readonly host: string;
  readonly strikes: number;
  readonly isBanned: boolean;
  readonly code: string;
  readonly reason: string;
}

export interface RosterRefused {
  readonly address: string;
  readonly code: string;
  readonly reason: string;
  readonly secondsAgo: number;
}
