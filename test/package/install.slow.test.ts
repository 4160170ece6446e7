/** The tarball in an empty folder, installed by npm without a compiler on the PATH. CI runs this file. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hashOf, TWENTY_STEPS, Workplace } from './empty-folder.ts';

const workplace = new Workplace();

beforeAll(() => workplace.prepare());
afterAll(() => workplace.close());

it.each([
  ['', []],
  [' with --ignore-scripts', ['--ignore-scripts']],
])('cases: work 18: npm install ./lockstep.tgz, in a folder with spaces%s, then train', async (words, flags) => {
  const folder = workplace.openFolder(`an empty folder${words}`);
  const installed = await workplace.run(folder, 'npm', 'install', './lockstep.tgz', ...flags);
  expect(installed.code, installed.text).toBe(0);
  expect(installed.text).not.toMatch(/install-scripts|deprecated|vulnerab/);
  const { code, text } = await workplace.run(folder, 'npx', 'lockstep', ...TWENTY_STEPS.command);
  expect(code, text).toBe(0);
  expect(hashOf(text), text).toBe(TWENTY_STEPS.sha256);
});

it('has no compiler to fall back on', async () => {
  for (const name of ['c++', 'g++', 'clang++', 'cc', 'python3']) {
    expect((await workplace.run(workplace.folder, name, '--version')).code, name).toBe(127);
  }
});
