/** The frames of a TFRecord file (tensorflow.org/tutorials/load_data/tfrecord), of which an event file is one. */
import { maskedCrc32c } from './crc32c.js';

const HEAD = 12;
const TAIL = 4;

/** [length, 8 bytes][masked CRC of the length, 4][data][masked CRC of the data, 4], all little-endian. */
export function frameRecord(data: Uint8Array): Uint8Array {
  const frame = Buffer.alloc(HEAD + data.length + TAIL);
  frame.writeUInt32LE(data.length, 0);
  frame.writeUInt32LE(maskedCrc32c(frame.subarray(0, 8)), 8);
  frame.set(data, HEAD);
  frame.writeUInt32LE(maskedCrc32c(data), HEAD + data.length);
  return frame;
}
