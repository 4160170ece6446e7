/** Removes everything that is built (not node_modules): the next command builds it again. */
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './bootstrap.mjs';

const { workspaces } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
const built = [
  ...workspaces.flatMap((folder) => ['dist', 'build', 'test-report.json'].map((name) => `${folder}/${name}`)),
];
for (const name of [...built, 'build', 'test-report.json', '.nx']) {
  rmSync(path.join(ROOT, name), { recursive: true, force: true });
}
