/** A message of every type, as the schema has it, for types that a recorded run may lack. */
import type { Message, MessageType } from '@lockstep/core/wire';

const KEY = `02${'ab'.repeat(32)}`;
const HASH = 'ab'.repeat(32);
const step = 1;
const generation = 1;
const milliseconds = { computeMs: 1, updateMs: 1, exchangeMs: 1, stepMs: 3 };

/** A new type of message does not compile without a line here. */
export const samples: { readonly [T in MessageType]: Extract<Message, { type: T }> } = {
  challenge: { type: 'challenge', protocol: 7, version: '0.1.0', nonce: HASH },
  hello: {
    type: 'hello',
    protocol: 7,
    version: '0.1.0',
    nonce: HASH,
    proof: HASH,
    name: 'n',
    workers: 1,
    engine: 'native',
    key: KEY,
  },
  ask: { type: 'ask', protocol: 7, version: '0.1.0', nonce: HASH, proof: HASH, pardon: 'node 1' },
  roster: { type: 'roster', proof: HASH },
  refused: { type: 'refused', code: 'LOCKSTEP_NODE_ORDER', text: 'no' },
  welcome: {
    type: 'welcome',
    proof: HASH,
    node: 1,
    seed: 7,
    runHash: HASH,
    dataset: {
      name: 'd',
      source: 's',
      channels: 1,
      height: 6,
      width: 6,
      classes: 3,
      mean: [0.4],
      std: [0.3],
      counts: { train: 200, validation: 0, test: 3 },
      checksum: HASH,
    },
  },
  inquire: { type: 'inquire', needsData: true, held: { bytes: 64, hash: HASH } },
  dataset: { type: 'dataset', offset: 0, total: 64 },
  ready: { type: 'ready', runHash: HASH, checksum: HASH, selfTest: HASH, held: { bytes: 8, hash: HASH, step } },
  state: { type: 'state', step, offset: 0, total: 64 },
  restored: { type: 'restored', step },
  peers: { type: 'peers', peers: [{ node: 2, key: KEY, url: 'ws://10.0.1.2:7500' }] },
  reachable: { type: 'reachable', nodes: [1, 2] },
  assign: {
    type: 'assign',
    step,
    generation,
    members: [{ node: 1, range: { begin: 0, end: 2 } }],
    owners: [0],
    replicas: [0, 1],
    groups: [],
    withHash: true,
  },
  partial: { type: 'partial', step, generation, begin: 0, end: 1, offset: 0 },
  reduced: { type: 'reduced', step, generation, offset: 0 },
  computing: { type: 'computing', step, generation },
  contributed: { type: 'contributed', step, generation, computeMs: 1 },
  applied: { type: 'applied', step, generation, ...milliseconds, hash: HASH },
  fault: { type: 'fault', step, generation, node: 1, code: 'LOCKSTEP_NODE_NOT_FINITE', text: 'x' },
  leaving: { type: 'leaving', text: 'bye' },
  end: { type: 'end', text: 'over', exitCode: 0 },
  peer: { type: 'peer', node: 1, called: 2, nonce: HASH, proof: HASH },
  'peer-welcome': { type: 'peer-welcome', proof: HASH },
};
