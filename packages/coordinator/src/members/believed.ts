/**
 * What a node may say, about whom, and what follows; docs/cluster.md has the same for people.
 *
 * Nothing that one node says ends a run or sends another away. What it says of itself moves deadlines and shares, within
 * limits that come from others; what it says of the run is checked by form, by comparison and, with --audit, by a second
 * computation of the coordinator; what it says of others has the coordinator look for itself (steps/doubts/accusations.ts). The
 * codes and texts of a verdict are the coordinator's own.
 */
import type { MessageType } from '@lockstep/core/wire';

export interface Saying {
  /** In the handshake, in the run, at its end, to another node; never: it is the coordinator's to say. */
  readonly when: 'greeting' | 'run' | 'end' | 'mesh' | 'never';
  readonly about: 'itself' | 'others' | 'the run' | 'nobody';
  readonly follows: string;
}

const NEVER: Saying = { when: 'never', about: 'nobody', follows: 'it is sent away' };

export const believed = {
  hello: {
    when: 'greeting',
    about: 'itself',
    follows:
      'with a proof of the token it is let in, unless its name or address is struck; its threads count until its pace is measured; at its mesh port one other node looks first',
  },
  inquire: {
    when: 'greeting',
    about: 'itself',
    follows: 'it is sent the data from where it has them; what it has counts only by a hash that is compared',
  },
  ready: {
    when: 'greeting',
    about: 'itself',
    follows: "run, data and self-test are compared with the coordinator's own; where one differs it is refused",
  },
  restored: {
    when: 'run',
    about: 'itself',
    follows: 'it is taken in at the next step; whether it has the state is seen when replicas are compared',
  },
  reachable: {
    when: 'run',
    about: 'itself',
    follows:
      'a mesh, where all say so of all; the first caller of a port is believed that the run is there, and the others call too',
  },
  partial: {
    when: 'run',
    about: 'the run',
    follows:
      'its form is checked, then whether its floats are finite and, with --audit, whether the coordinator computes the same; whoever differs is sent away',
  },
  reduced: {
    when: 'run',
    about: 'the run',
    follows:
      'its form is checked, and whether its floats are finite: if not, all sums of the step come to the coordinator; else replicas are compared, which nobody has alone',
  },
  computing: {
    when: 'run',
    about: 'itself',
    follows:
      'more time for its first step, as long as it says so and within what the others take; only of shards that it was dealt',
  },
  contributed: {
    when: 'run',
    about: 'itself',
    follows: 'its deadline and its share of the shards, within what the others take; only of shards that it was dealt',
  },
  applied: {
    when: 'run',
    about: 'itself',
    follows: "the same; the hash of its state is compared with the coordinator's, and whoever differs is sent away",
  },
  fault: {
    when: 'run',
    about: 'others',
    follows:
      'if the other sends sums to it, the step is begun again with all sums at the coordinator; after three in vain who accuses is sent away',
  },
  ask: {
    when: 'greeting',
    about: 'others',
    follows:
      'with a proof of the token it is told who is there and who was refused; strikes of whom it names are taken back, which is told, but not from an address that has strikes itself',
  },
  leaving: { when: 'end', about: 'itself', follows: 'its shards are computed elsewhere' },
  refused: {
    when: 'end',
    about: 'itself',
    follows: 'the connection is over, which is no fault of anybody; its words are told in the log',
  },
  peer: {
    when: 'mesh',
    about: 'itself',
    follows:
      'with a proof by the token and by the key that the coordinator has told of that node, the other takes sums from it',
  },
  'peer-welcome': { when: 'mesh', about: 'itself', follows: 'with the same proof it is sent sums' },
  challenge: NEVER,
  welcome: NEVER,
  dataset: NEVER,
  state: NEVER,
  peers: NEVER,
  assign: NEVER,
  end: NEVER,
  roster: NEVER,
} as const satisfies Record<MessageType, Saying>;
