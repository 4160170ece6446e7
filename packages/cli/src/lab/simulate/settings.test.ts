import { describe, expect, it } from 'vitest';
import { readLinks, readNodes, readTime, resolveSimulate } from './settings.js';

describe('resolveSimulate', () => {
  it('reads ranges of nodes in powers of two, with both ends', () => {
    expect(readNodes('1..4096')).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096]);
    expect(readNodes('3..20')).toEqual([3, 4, 8, 16, 20]);
    expect(readNodes('8,1,3')).toEqual([1, 3, 8]);
  });

  it('reads speeds and times with their units', () => {
    expect(readLinks('1G..400G')).toEqual([1e9, 2.5e9, 10e9, 25e9, 40e9, 100e9, 200e9, 400e9]);
    expect(readLinks('100M,2.5G')).toEqual([100e6, 2.5e9]);
    expect(readTime('50us')).toBeCloseTo(5e-5, 12);
    expect(readTime('1.5ms')).toBeCloseTo(1.5e-3, 12);
  });

  it.each([
    [{ nodes: '0..8' }, '--nodes 0..8: must be a range such as 1..4096'],
    [{ nodes: '8..1' }, '--nodes 8..1: must be a range'],
    [{ nodes: '1..2..3' }, '--nodes 1..2..3: must be a range'],
    [{ link: '1' }, '--link 1: must be speeds such as 100M, 1G or 1G..400G'],
    [{ link: '10G..1G' }, '--link 10G..1G: must be speeds'],
    [{ latency: '50' }, '--latency 50: must be a time such as 50us or 1ms'],
    [{ topology: 'star,ring' }, '--topology star,ring: must be one of auto, star, mesh, hierarchical'],
    [{ groupSize: '1' }, '--group-size 1: must be a whole number from 2'],
  ])('says what is allowed instead of %o', (options, text) => {
    expect(() => resolveSimulate(options)).toThrow(text);
  });
});
