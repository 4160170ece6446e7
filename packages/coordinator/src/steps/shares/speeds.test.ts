import { describe, expect, it } from 'vitest';
import { Pace } from '../../members/pace.js';
import { type Runner, Speeds } from './speeds.js';

const SHARDS = 8;

/** Two nodes of one worker each, whose shards take so many milliseconds. */
function runners(...shardMs: readonly number[]): Runner[] {
  return shardMs.map((ms, id) => {
    const pace = new Pace();
    for (let step = 0; step < 9; step++) pace.note(1, ms);
    return { id, workers: 1, pace, hasShards: true };
  });
}

const unmeasured = (): Runner[] => [0, 1].map((id) => ({ id, workers: id + 1, pace: new Pace(), hasShards: true }));

describe('speeds', () => {
  it('are the workers of nodes until all are measured', () => {
    const speeds = new Speeds();
    expect(speeds.of(unmeasured(), 0, SHARDS)).toEqual([1, 2]);
    expect(speeds.of(runners(5, 4), 1, SHARDS)).toEqual([1 / 5, 1 / 4]);
  });

  it('are held while shards would be dealt alike, or a step would become shorter by less than a tenth', () => {
    const speeds = new Speeds();
    const first = speeds.of(runners(4, 4), 0, SHARDS);
    // 4 and 4 shards take 22 ms; 5 and 3 would take 20
    expect(speeds.of(runners(4, 5.5), 1, SHARDS)).toEqual(first);
  });

  it('are the new ones where a step becomes shorter', () => {
    const speeds = new Speeds();
    speeds.of(runners(4, 4), 0, SHARDS);
    expect(speeds.of(runners(4, 6), 1, SHARDS)).toEqual([1 / 4, 1 / 6]);
  });

  it('are new when another node comes', () => {
    const speeds = new Speeds();
    speeds.of(runners(4, 4), 0, SHARDS);
    expect(speeds.of(runners(4, 4.1, 4), 1, SHARDS)).toEqual([1 / 4, 1 / 4.1, 1 / 4]);
  });
});
