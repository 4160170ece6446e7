/** What a node makes of the end of its run. */
import { expect, it } from 'vitest';
import { useFixture } from '../support/cluster-fixture.ts';

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
