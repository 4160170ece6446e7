import { describe, expect, it } from 'vitest';
import { availableIsas, loadKernels } from './load.js';

describe.each(availableIsas())('%s', (isa) => {
  const kernels = loadKernels(isa);
  const findNotFinite = (values: Float32Array): number => kernels.findNotFinite(values);

  it.each([0, 1, 3, 16, 19, 4099])('finds the first of %i values that is not finite, wherever it stands', (length) => {
    const values = Float32Array.from({ length }, (_, index) => (index % 2 === 0 ? -3.4028234e38 : 1e-45));
    expect(findNotFinite(values)).toBe(-1);
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      for (let at = 0; at < length; at += length > 100 ? 63 : 1) {
        const spoilt = values.slice();
        spoilt[at] = value;
        spoilt[length - 1] = value;
        expect(findNotFinite(spoilt)).toBe(at);
      }
    }
  });

  it('looks at no more than it is given, from any address', () => {
    const values = new Float32Array(40).fill(Number.NaN);
    values.fill(1, 3, 30);
    expect(findNotFinite(values.subarray(3, 30))).toBe(-1);
  });

  it('takes no other kind of array', () => {
    expect(() => findNotFinite(new Float64Array(4) as never)).toThrow('findNotFinite expects (Float32Array)');
  });
});
