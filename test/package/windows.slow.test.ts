/** The package on Windows, as far as wine is Windows: its kernels by zig, Windows' own Node, every kind of file. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPrebuilds } from '../../tools/package/prebuilds.mjs';
import { stagePackage } from '../../tools/package/stage.mjs';
import { findFreePort } from '../support/free-port.ts';
import { hashOf, TWENTY_STEPS } from './empty-folder.ts';
import { type Ended, WINDOWS_NODES, type WindowsNode, Wine, whyNoWine } from './wine.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const LAST = WINDOWS_NODES.at(-1) as WindowsNode;

describe.skipIf(whyNoWine)(`The package on Windows${whyNoWine === undefined ? '' : ` (${whyNoWine})`}`, () => {
  let project: string;
  let script: string;
  let wine: Wine;

  beforeAll(async () => {
    mkdirSync(path.join(ROOT, 'build'), { recursive: true });
    // Within the repository, so that Node finds the dependencies.
    project = mkdtempSync(path.join(ROOT, 'build', 'a windows project '));
    const folder = path.join(project, 'node_modules', 'lockstep');
    const manifest = stagePackage(ROOT, folder, await buildPrebuilds(ROOT, ['win32-x64']));
    script = path.join(folder, manifest.bin['lockstep'] as string);
    wine = new Wine({ LOCKSTEP_OFFLINE: '1' });
  });

  afterAll(() => {
    wine?.close();
    if (project) rmSync(project, { recursive: true, force: true });
  });

  const lockstep = (version: WindowsNode, ...args: readonly string[]): Promise<Ended> =>
    wine.node(version, project, script, ...args);

  function expectTwentySteps({ code, out, error }: Ended): void {
    expect(code, error).toBe(0);
    expect(hashOf(out), out).toBe(TWENTY_STEPS.sha256);
  }

  it.each(WINDOWS_NODES)('trains on Node %s with the hash of every other machine', async (version) => {
    expectTwentySteps(await lockstep(version, ...TWENTY_STEPS.command, '--no-save'));
  });

  it('keeps checkpoints and a folder of the run, goes on from the last, and evaluates the best', async () => {
    const stopped = await lockstep(LAST, 'train', '--steps', '12', '--checkpoint', 'ckpt', '--every', '6 steps');
    expect(stopped.code, stopped.error).toBe(0);
    expect(readdirSync(path.join(project, 'ckpt')).sort()).toEqual(['step-0000000006', 'step-0000000012']);
    expectTwentySteps(await lockstep(LAST, 'train', '--steps', '20', '--resume', 'ckpt', '--checkpoint', 'ckpt'));
    expect(readdirSync(path.join(project, 'ckpt'))).toContain('step-0000000020');
    for (const name of ['best.safetensors', 'report.html', 'run.json', 'history.csv']) {
      expect(existsSync(path.join(project, 'runs', 'tiny6k-seed1', name)), name).toBe(true);
    }
    const evaluated = await lockstep(LAST, 'evaluate', '--weights', 'latest');
    expect(evaluated.code, evaluated.error).toBe(0);
    expect(evaluated.out).toContain('148/1500');
  });

  it('writes over what stands there', async () => {
    for (const steps of ['1', '2']) {
      const { code, error } = await lockstep(LAST, 'train', '--steps', steps, '--save', 'w.safetensors');
      expect(code, error).toBe(0);
    }
    expect(readFileSync(path.join(project, 'w.safetensors')).length).toBeGreaterThan(4 * 6456);
  });

  it('trains on two nodes, of two versions of Node, to the same hash', async () => {
    writeFileSync(path.join(project, 'token'), 'a secret of more than sixteen bytes\n');
    const url = `127.0.0.1:${await findFreePort()}`;
    const [coordinator, node] = await Promise.all([
      lockstep(
        '20.20.2',
        ...TWENTY_STEPS.command,
        '--listen',
        url,
        '--wait-for',
        '1',
        '--token-file',
        'token',
        '--no-save',
      ),
      lockstep('22.23.3', 'worker', '--connect', `ws://${url}`, '--token-file', 'token'),
    ]);
    expectTwentySteps(coordinator);
    expect(coordinator.error).toContain('joins at step 0');
    expect(node.code, node.error).toBe(0);
  });

  it('ends with a code and a line when a file is missing, a path of Windows in it', async () => {
    const { code, error } = await lockstep(LAST, 'evaluate', '--weights', 'no\\such.safetensors');
    expect(code).toBe(2);
    expect(error).toMatch(/^lockstep: LOCKSTEP_WEIGHTS_READ: .*no\\such\.safetensors/m);
  });
});
