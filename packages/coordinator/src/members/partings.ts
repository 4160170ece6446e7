/** Why connections to nodes end. */
import { LockstepError } from '@lockstep/core/errors';

/** Ends of a connection that are nobody's fault. */
export const BLAMELESS = new Set([
  'LOCKSTEP_NODE_LOST',
  'LOCKSTEP_NODE_SILENT',
  'LOCKSTEP_NODE_SEAL',
  'LOCKSTEP_NODE_STALLED',
  'LOCKSTEP_NODE_SLOW',
]);

/** What a node says of what it got, in its words, is no fault of its own. */
export const leftFor = (reason: LockstepError): LockstepError =>
  new LockstepError('LOCKSTEP_NODE_LOST', `it ended the connection: ${reason.message}`);
