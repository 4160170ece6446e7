/** The frames of a TFRecord file (tensorflow.org/tutorials/load_data/tfrecord), of which an event file is one. */
import { maskedCrc32c } from './crc32c.js';

const HEADER_BYTES = 12;
const FOOTER_BYTES = 4;

/** [length, 8 bytes][masked CRC of the length, 4][data][masked CRC of the data, 4], all little-endian. */
export function frameRecord(data: Uint8Array): Uint8Array {
  const frame = Buffer.alloc(HEADER_BYTES + data.length + FOOTER_BYTES);
  frame.writeUInt32LE(data.length, 0);
  frame.writeUInt32LE(maskedCrc32c(frame.subarray(0, 8)), 8);
  frame.set(data, HEADER_BYTES);
  frame.writeUInt32LE(maskedCrc32c(data), HEADER_BYTES + data.length);
  return frame;
}
