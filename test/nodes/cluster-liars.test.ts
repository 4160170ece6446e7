/** Nodes whose sums are well formed and wrong: what they had a part in is computed again without them. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Fixture, useFixture } from '../support/cluster-fixture.ts';
import type { Event, Program } from '../support/program.ts';

/** 9 of them are an epoch. */
const STEPS = 40;
const fixture = useFixture(STEPS);
/** From a step on every step is audited, before it none: as if chance had been with the liar so long. */
const auditFrom = (step: number): Record<string, string> => ({ LOCKSTEP_AUDIT_FROM: String(step) });
const AUDIT = ['--audit', '1', '--wait-for', '1'];
/** Wrong sums from a step on. */
const lieFrom = (step: number): Record<string, string> => ({ LOCKSTEP_FAULT: `contributed:0:${step}:lie` });

const eventsOf = ({ events }: Program, name: string): Event[] => events.filter(({ event }) => event === name);

/** The epochs that stand, without what depends on time. */
function standing({ events }: Program): unknown[] {
  const epochs: Event[] = [];
  for (const event of events) {
    if (event.event === 'epoch') epochs.push(event);
    if (event.event === 'went-back') epochs.splice(Number(event['epochs']));
  }
  return epochs.map(({ seconds, imagesPerSecond, ...rest }) => rest);
}

describe('cases: peers 5: a node that lies and is caught late', () => {
  it('from the beginning on: the run goes back to its beginning, and has the bits of a calm one', async () => {
    const run = fixture.listen(STEPS, AUDIT, auditFrom(24));
    fixture.worker(await run.url(), ['--name', 'liar'], lieFrom(3));
    expect(await run.hash()).toBe(fixture.expected);
    expect(await run.exit).toBe(0);
    expect(eventsOf(run, 'node-evicted')).toMatchObject([{ node: 'liar', code: 'LOCKSTEP_NODE_AUDIT', step: 24 }]);
    expect(eventsOf(run, 'went-back')).toEqual([{ event: 'went-back', node: 'liar', step: 0, epochs: 0, from: 24 }]);
    // what the run began with needs no memory
    expect(eventsOf(run, 'states-kept')).toEqual([]);
    expect(eventsOf(run, 'end')[0]).not.toHaveProperty('doubted');
  });

  it('since it joined in the middle: to before that, with the epochs, checkpoints and best weights of a calm one', async () => {
    const flagsFor = (name: string): { flags: string[]; checkpoints: string } => {
      const checkpoints = path.join(fixture.folder, name);
      const policy = ['--checkpoint', checkpoints, '--every', '5 steps', '--keep', '2', '--best', 'testAccuracy'];
      return { checkpoints, flags: [...policy, '--out', path.join(fixture.folder, `${name}-out`)] };
    };
    const calm = flagsFor('calm');
    const alone = fixture.train(STEPS, calm.flags);
    const lied = flagsFor('lied');
    const run = fixture.listen(STEPS, [...AUDIT, ...lied.flags], { LOCKSTEP_HOLD: '12:2', ...auditFrom(24) });
    const url = await run.url();
    fixture.worker(url, ['--name', 'honest']);
    await run.event('waiting', undefined, ({ reason }) => reason === 'a test holds the run');
    fixture.worker(url, ['--name', 'liar'], lieFrom(14));
    await run.event('went-back');
    fixture.worker(url, ['--name', 'another']);
    expect(await run.hash()).toBe(fixture.expected);
    expect(await run.exit).toBe(0);
    expect(await alone.exit).toBe(0);
    expect(eventsOf(run, 'went-back')).toMatchObject([{ node: 'liar', step: 12, epochs: 1 }]);
    expect(eventsOf(run, 'states-kept')[0]).toMatchObject({ at: [12] });
    expect(eventsOf(run, 'states-kept').at(-1)).toMatchObject({ at: [], bytes: 0 });
    expect(standing(run)).toEqual(standing(alone));
    expect(readBest(lied.checkpoints)).toEqual(readBest(calm.checkpoints));
    const names = readdirSync(lied.checkpoints);
    expect(names.filter((name) => name !== 'branch-1').sort()).toEqual(readdirSync(calm.checkpoints).sort());
    expect(readdirSync(path.join(lied.checkpoints, 'branch-1'))).toContain('step-0000000020');
    expect(eventsOf(run, 'warning')).toMatchObject([{ code: 'LOCKSTEP_CHECKPOINT_DOUBTED' }]);
    const history = (name: string): string[] =>
      readFileSync(path.join(fixture.folder, `${name}-out`, 'history.csv'), 'utf8')
        .split('\r\n')
        .map((row) => row.split(',').slice(0, 9).join());
    expect(history('lied')).toEqual(history('calm'));
    const { epochs, curve } = JSON.parse(readFileSync(path.join(fixture.folder, 'lied-out', 'chronicle.json'), 'utf8'));
    expect(epochs.map(({ epoch }: { epoch: number }) => epoch)).toEqual([1, 2, 3, 4]);
    expect(curve.epoch).toEqual([...curve.epoch].sort((a: number, b: number) => a - b));
  });

  it('in a run that was resumed: to the checkpoint', async () => {
    const folder = path.join(fixture.folder, 'resumed');
    expect(await fixture.train(11, ['--checkpoint', folder]).exit).toBe(0);
    const run = fixture.listen(STEPS, [...AUDIT, '--resume', folder], auditFrom(24));
    fixture.worker(await run.url(), ['--name', 'liar'], lieFrom(13));
    expect(await run.hash()).toBe(fixture.expected);
    expect(await run.exit).toBe(0);
    expect(eventsOf(run, 'went-back')).toMatchObject([{ node: 'liar', step: 11, epochs: 1, from: 24 }]);
  });

  it('cases: peers 5: a resumed run goes on naming the steps in doubt of before', async () => {
    const folder = path.join(fixture.folder, 'doubted');
    const first = fixture.listen(6, ['--audit', '0.01', '--wait-for', '1', '--checkpoint', folder]);
    fixture.worker(await first.url());
    expect(await first.exit).toBe(0);
    const unaudited = eventsOf(first, 'end')[0]?.['unaudited'];
    expect(unaudited).toMatchObject({ firstStep: expect.any(Number), endStep: expect.any(Number) });
    const resumed = fixture.train(STEPS, ['--resume', folder]);
    expect(await resumed.hash()).toBe(fixture.expected);
    expect(eventsOf(resumed, 'end')).toMatchObject([{ unaudited }]);
  });

  it('two of them, one after the other', async () => {
    const run = fixture.listen(STEPS, AUDIT, { LOCKSTEP_HOLD: '12:2', ...auditFrom(24) });
    const url = await run.url();
    fixture.worker(url, ['--name', 'first'], lieFrom(3));
    await run.event('waiting', undefined, ({ reason }) => reason === 'a test holds the run');
    fixture.worker(url, ['--name', 'second'], lieFrom(14));
    await run.event('went-back');
    for (const name of ['honest', 'another']) fixture.worker(url, ['--name', name]);
    expect(await run.hash()).toBe(fixture.expected);
    expect(await run.exit).toBe(0);
    const evicted = eventsOf(run, 'node-evicted').map(({ node, code }) => `${node} ${code}`);
    expect(evicted.sort()).toEqual(['first LOCKSTEP_NODE_AUDIT', 'second LOCKSTEP_NODE_AUDIT']);
    expect(eventsOf(run, 'went-back').at(-1)).toMatchObject({ step: 0 });
  });
});

it('cases: peers 5: where a mesh was asked for an audit finds it too, since every step is a star', async () => {
  const run = fixture.listen(STEPS, ['--topology', 'mesh', '--audit', '0.5', '--wait-for', '2'], auditFrom(24));
  const url = await run.url();
  const mesh = ['--mesh-listen', '127.0.0.1:0'];
  fixture.worker(url, ['--name', 'liar', ...mesh], lieFrom(3));
  fixture.worker(url, ['--name', 'honest', ...mesh]);
  expect(await run.hash()).toBe(fixture.expected);
  expect(await run.exit).toBe(0);
  expect(eventsOf(run, 'warning')).toMatchObject([{ code: 'LOCKSTEP_AUDIT_STAR' }]);
  expect(eventsOf(run, 'went-back')).toMatchObject([{ node: 'liar', step: 0 }]);
  // again without an audit before step 24, and by half of the sums since then
  expect(eventsOf(run, 'end')).toMatchObject([{ unaudited: { firstStep: 0 } }]);
});

describe('a node whose sums end in numbers that are not finite ends no run', () => {
  const isBack = { event: 'went-back', step: 0, epochs: 0 };

  it('cases: peers 8: two of them in one step: the coordinator computes it, and sends both away', async () => {
    const run = fixture.listen(STEPS, ['--wait-for', '3'], { LOCKSTEP_HOLD: '0:3' });
    const url = await run.url();
    const nan = { LOCKSTEP_FAULT: 'contributed:0:20:nan:9' };
    for (const name of ['first', 'second']) fixture.worker(url, ['--name', name], nan);
    fixture.worker(url, ['--name', 'honest']);
    expect(await run.hash()).toBe(fixture.expected);
    expect(await run.exit).toBe(0);
    const evicted = eventsOf(run, 'node-evicted').map(({ node, code, step }) => `${node} ${code} ${step}`);
    expect(evicted.sort()).toEqual(['first LOCKSTEP_NODE_CONTRIBUTION 20', 'second LOCKSTEP_NODE_CONTRIBUTION 20']);
  });

  it('cases: peers 8: sums that are finite and lead there: all since the last comparison is computed again', async () => {
    const run = fixture.listen(STEPS, ['--wait-for', '1']);
    fixture.worker(await run.url(), ['--name', 'huge'], { LOCKSTEP_FAULT: 'contributed:0:5:huge' });
    expect(await run.hash()).toBe(fixture.expected);
    expect(await run.exit).toBe(0);
    const [back, ...more] = eventsOf(run, 'went-back');
    expect(more).toEqual([]);
    expect(back).toMatchObject(isBack);
    expect(back).not.toHaveProperty('node');
    // the step after it is where its numbers are no longer finite
    expect(back?.['from']).toBe(6);
  });

  it('cases: peers 8: and where only the evaluation at the end shows it', async () => {
    // of two dense layers, whose huge weights are multiplied
    const wide = new Fixture(true);
    try {
      const run = wide.listen(6, AUDIT, auditFrom(1000));
      wide.worker(await run.url(), ['--name', 'huge'], { LOCKSTEP_FAULT: 'contributed:0:5:huge' });
      expect(await run.hash()).toBe(await wide.hashAlone(6));
      expect(await run.exit).toBe(0);
      expect(eventsOf(run, 'went-back')).toMatchObject([{ ...isBack, from: 6 }]);
    } finally {
      await wide.remove();
    }
  });
});

const readBest = (folder: string): unknown => JSON.parse(readFileSync(path.join(folder, 'best.json'), 'utf8'));
