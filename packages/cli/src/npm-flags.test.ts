import { describe, expect, it } from 'vitest';
import { main } from './main.js';
import { RecordingIo } from './testing/recording-io.js';

async function runUnderNpm(argv: readonly string[], kept: Record<string, string>, script = 'train') {
  const io = new RecordingIo();
  io.env = { npm_lifecycle_event: script, npm_config_audit: '', ...kept };
  return { code: await main(argv, io), stderr: io.stderr.text };
}

describe('cases: work 21: flags that npm kept for itself are told, and nothing is started', () => {
  it.each<[string[], Record<string, string>, string, string]>([
    [['train', '20'], { npm_config_steps: 'true' }, '--steps', 'npm run train -- --steps 20'],
    [['train'], { npm_config_steps: '20' }, '--steps 20', 'npm run train -- --steps 20'],
    [
      ['train', 'net19k'],
      { npm_config_batch_size: '64', npm_config_quiet: 'true' },
      '--batch-size 64 --quiet',
      'npm run train -- --batch-size 64 --quiet net19k',
    ],
  ])('%j with %j', async (argv, kept, flags, line) => {
    const { code, stderr } = await runUnderNpm(argv, kept);
    expect(code).toBe(2);
    expect(stderr).toContain(`LOCKSTEP_CLI_NPM: npm kept ${flags} for itself`);
    expect(stderr).toContain(line);
  });

  it.each<[string[], Record<string, string>, string]>([
    [['train', '8', '1'], { npm_config_workers: 'true', npm_config_epochs: 'true' }, '--workers ... --epochs ...'],
    [['train', 'net19k', '20'], { npm_config_steps: 'true' }, '--steps ...'],
    [['train', '8'], { npm_config_workers: 'true', npm_config_epochs: 'true' }, '--workers ... --epochs ...'],
  ])('does not guess which of several words is whose: %j with %j', async (argv, kept, flags) => {
    const { code, stderr } = await runUnderNpm(argv, kept);
    expect(code).toBe(2);
    expect(stderr).toMatch(/Put -- before all that you gave it: npm run train -- .*\n$/);
    expect(stderr.trimEnd().endsWith(`npm run train -- ${flags}`), stderr).toBe(true);
  });

  it('names the script that was run', async () => {
    const { stderr } = await runUnderNpm(['summary'], { npm_config_layout: 'torchsummary' }, 'lockstep');
    expect(stderr).toContain('npm run lockstep -- --layout torchsummary summary');
  });
});

it("cases: work 21: npm's own settings are not taken for ours, but those that may have been meant are told", async () => {
  const json = await runUnderNpm(['models'], { npm_config_json: 'true' }, 'models');
  expect(json).toMatchObject({
    code: 0,
    stderr: 'note: npm has --json for itself; if this program was meant: npm run models -- --json\n',
  });
  const given = await runUnderNpm(['models', '--json'], { npm_config_json: 'true', npm_config_audit: '' }, 'models');
  expect(given).toMatchObject({ code: 0, stderr: '' });
});
