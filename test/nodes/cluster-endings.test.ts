/** What a node makes of the end of its run. */
import { expect, it } from 'vitest';
import { useFixture } from '../support/cluster-fixture.ts';
import { findFreePort } from '../support/free-port.ts';
import { HarmfulProxy, portOf } from './harmful-proxy.ts';

const fixture = useFixture();
const ENDLESS = 1_000_000;

it.each([
  ['cut short by SIGTERM', 143, [], 'SIGTERM', /ended: the run was cut short by SIGTERM after \d+ steps/],
  [
    'cut short by Ctrl-C, though preemptible',
    130,
    ['--preemptible'],
    'SIGINT',
    /ended: the run was cut short by SIGINT/,
  ],
  ['diverged', 2, ['--optimizer', 'sgd', '--lr', '1e38'], undefined, /ended: the run has diverged: .* not a finite/],
] as const)('cases: work 1: a node ends as its run: %s, with %i', async (_, code, flags, signal, said) => {
  const run = fixture.listen(ENDLESS, ['--wait-for', '1', '--epochs', String(ENDLESS), ...flags]);
  const node = fixture.worker(await run.url());
  if (signal !== undefined) {
    await run.event('epoch');
    run.kill(signal);
  }
  expect(await Promise.all([run.exit, node.exit])).toEqual([code, code]);
  expect(node.stderr).toMatch(said);
});

it('work: a node that comes when the run is over is told of its end, whom the launcher knows, though nobody waited for it', async () => {
  const port = await findFreePort();
  const run = fixture.launch(2, 0, 2, port, ['--wait-for', '0']);
  await run.event('end');
  const node = fixture.launch(2, 1, 2, port);
  expect(await Promise.all([run.exit, node.exit])).toEqual([0, 0]);
  expect(node.stderr).toContain('ended: the run is over');
});

it('work: a node that comes when the run has failed is told why, and ends with its exit code', async () => {
  const run = fixture.listen(ENDLESS, ['--expect', '1', '--optimizer', 'sgd', '--lr', '1e38']);
  const url = await run.url();
  await run.until(() => run.stderr.includes('Waiting up to'), 'the wait for a node');
  expect(run.stderr).toMatch(/Waiting up to \d+ seconds for 1 node still to be told how the run has ended\./);
  const node = fixture.worker(url);
  expect(await Promise.all([run.exit, node.exit])).toEqual([2, 2]);
  expect(node.stderr).toMatch(/ended: the run has diverged/);
});

it('work: a node whose connection swallows the end comes back and is told again', async () => {
  const run = fixture.listen(20, ['--wait-for', '1']);
  const proxy = new HarmfulProxy(portOf(await run.url()));
  try {
    const url = await proxy.open();
    let swallowed = 0;
    proxy.tamper = (chunk, direction) => {
      const isEnd = direction === 'down' && swallowed === 0 && chunk.includes('the run is over');
      swallowed += isEnd ? 1 : 0;
      return isEnd ? undefined : chunk;
    };
    const node = fixture.worker(url);
    expect(await Promise.all([run.exit, node.exit])).toEqual([0, 0]);
    expect(swallowed).toBe(1);
    expect(node.stderr).toMatch(/lost: [\s\S]*ended: the run is over/);
  } finally {
    proxy.close();
  }
});
