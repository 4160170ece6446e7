/** The other process of `measureMessages`: takes floats as a step does, and answers small frames and the last of many. */
import { MAX_PAYLOAD_BYTES, type MessageOf, readLinkTimings } from '@lockstep/core/wire';
import { connect } from '@lockstep/worker/connection';
import { CALIBRATION_KEY, cpuSeconds, keepFloats, type PeerTask } from './calibrate-messages.js';

process.on('message', (asked: PeerTask | 'cpu') => {
  if (asked === 'cpu') process.send?.(cpuSeconds());
  else void answer(asked);
});
process.on('disconnect', () => process.exit());

async function answer({ url }: PeerTask): Promise<void> {
  const link = await connect(url, { timings: readLinkTimings(process.env) });
  const place = new Float32Array(MAX_PAYLOAD_BYTES / 4);
  const back = new Uint8Array(64);
  link.onFrame = ({ message, payload }) => {
    keepFloats(payload, place);
    const sum = message as MessageOf<'partial'>;
    if (payload.length < MAX_PAYLOAD_BYTES || sum.end === 2) link.send(sum, back);
  };
  link.secure(CALIBRATION_KEY);
  // a frame that comes before this would be taken for one without a seal
  process.send?.('ready');
}
