/** Who is in a run of several machines, for those who look at it: told when it has changed, not with each second. */
import type { Roster } from '@lockstep/core/events';
import type { RunControl } from '@lockstep/core/seams';

export interface PeersMessage {
  readonly peers: Roster;
}

/** What came of taking strikes back. */
export interface PardonMessage {
  readonly pardoned: {
    readonly who: string;
    /** How many nodes have none any more. */
    readonly count: number;
    /** Why that was not done. */
    readonly refusal?: string;
  };
}

export class PeersFeed {
  /** Counts what was found to be new; 0: there is nothing to tell. */
  version = 0;
  /** A message: JSON of a `PeersMessage`. */
  text = '';
  #last = '';

  constructor(private readonly control: RunControl | undefined) {}

  look(): void {
    const roster = this.control?.peers?.roster();
    if (roster === undefined) return;
    const news = describeNews(roster);
    if (news === this.#last) return;
    this.#last = news;
    this.version += 1;
    this.text = JSON.stringify({ peers: roster } satisfies PeersMessage);
  }
}

/** What does not change by itself. */
const describeNews = ({ nodes, struck, refused }: Roster): string =>
  JSON.stringify([nodes, struck, refused.map(({ secondsAgo, ...rest }) => rest)]);
