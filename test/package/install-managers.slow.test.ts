/** The tarball in an empty folder by other package managers, and where node_modules cannot be written. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orWhyNot, runWithMounts, whyNoMounts } from '../support/mounts.ts';
import { hashOf, type MANAGERS, TWENTY_STEPS, Workplace } from './empty-folder.ts';

const workplace = new Workplace();

beforeAll(() => workplace.prepare());
afterAll(() => workplace.close());

const PRIVATE = { 'package.json': '{ "name": "mine", "private": true }' };
/** An empty lock file says where the project is: yarn 4 would look for it in the folders above. */
const OF_ITS_OWN = { ...PRIVATE, 'yarn.lock': '' };
const NODE_MODULES = { ...OF_ITS_OWN, '.yarnrc.yml': 'nodeLinker: node-modules\n' };

describe.each([
  ['pnpm', PRIVATE, ['exec']],
  ['yarn 1', PRIVATE, ['--silent']],
  ['yarn 4', OF_ITS_OWN, []],
  ['yarn 4', NODE_MODULES, []],
] as const)('%s in a folder with %j', (name: keyof typeof MANAGERS, files, words) => {
  it('adds the tarball and trains', async () => {
    const script = await workplace.fetchManager(name);
    const folder = workplace.openFolder(`${name} with ${Object.keys(files).length}`, files);
    const added = await workplace.run(folder, 'node', script, 'add', './lockstep.tgz');
    expect(added.code, added.text).toBe(0);
    const trained = await workplace.run(folder, 'node', script, ...words, 'lockstep', ...TWENTY_STEPS.command);
    expect(trained.code, trained.text).toBe(0);
    expect(hashOf(trained.text), trained.text).toBe(TWENTY_STEPS.sha256);
  });
});

it.skipIf(whyNoMounts)(`trains where node_modules cannot be written${orWhyNot}`, async () => {
  const folder = workplace.openFolder('read only');
  expect((await workplace.run(folder, 'npm', 'install', './lockstep.tgz')).code).toBe(0);
  const command = ['node', 'node_modules/lockstep/lib/cli/dist/bin.js', ...TWENTY_STEPS.command].join(' ');
  const readOnly = 'mount --bind node_modules node_modules && mount -o remount,ro,bind node_modules';
  const { code, out, error } = runWithMounts(`${readOnly}; ! touch node_modules/x 2>&1; exec ${command}`, folder);
  expect(code, error).toBe(0);
  expect(hashOf(out)).toBe(TWENTY_STEPS.sha256);
});
