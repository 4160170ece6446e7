import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c } from './crc32c.js';
import { countHistogram } from './histogram.js';
import { frameRecord } from './tfrecord.js';

describe('crc32c', () => {
  it.each([
    ['123456789', 0xe3069283],
    ['', 0],
    // RFC 3720, appendix B.4
    ['\0'.repeat(32), 0x8a9136aa],
  ])('of %j is the published value', (text, value) => {
    expect(crc32c(Buffer.from(text, 'latin1'))).toBe(value);
  });
});

describe('frameRecord', () => {
  it('puts length, data and their masked CRCs in a row: the empty record of TensorFlow', () => {
    const frame = Buffer.from(frameRecord(new Uint8Array(0))).toString('hex');
    expect(frame).toBe(`${'00'.repeat(8)}29039807d8ea82a2`);
  });
});

describe('countHistogram', () => {
  const floats = fc.float32Array({ minLength: 1, maxLength: 200, noNaN: true, noDefaultInfinity: true });

  it('counts every value once, between limits that rise and hold all of them', () => {
    fc.assert(
      fc.property(floats, (values) => {
        const { num, bucket, bucket_limit, min, max } = countHistogram(values);
        expect(num).toBe(values.length);
        expect(bucket.reduce((sum, count) => sum + count, 0)).toBe(num);
        expect(bucket_limit.every((limit, i) => i === 0 || limit > (bucket_limit[i - 1] as number))).toBe(true);
        expect(min).toBe(Math.min(...values));
        expect(max).toBe(Math.max(...values));
        expect(bucket_limit.at(-1)).toBeGreaterThanOrEqual(max);
      }),
    );
  });

  it('puts a value into the first bucket whose limit is not below it', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const { bucket, bucket_limit } = countHistogram(Float32Array.of(value));
        const own = bucket.indexOf(1);
        expect(bucket_limit[own]).toBeGreaterThanOrEqual(value);
        if (own > 0) expect(bucket_limit[own - 1]).toBeLessThan(value);
      }),
    );
  });

  it('leaves out what is not finite, and may have nothing left', () => {
    expect(countHistogram(Float32Array.of(Number.NaN, 1, Number.POSITIVE_INFINITY)).num).toBe(1);
    expect(countHistogram(Float32Array.of(Number.NaN))).toMatchObject({ num: 0, bucket: [0] });
  });
});
