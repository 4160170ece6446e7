import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { BADGE_FILE, badgeTexts, drawBadge } from './badge.mjs';
import { ROOT } from './bootstrap.mjs';
import { RUNTIMES } from './setup/runtimes.mjs';

it('cases: issue 26: the badge is what the list of runtimes gives, and the README says it to who cannot see it', () => {
  expect(readFileSync(BADGE_FILE, 'utf8'), 'run node tools/badge.mjs').toBe(drawBadge());
  const [, text, file] = /^!\[([^\]]+)\]\(([^)]+\.svg)\)$/m.exec(readFileSync(path.join(ROOT, 'README.md'), 'utf8'));
  expect(text).toBe(badgeTexts().join('; '));
  expect(path.join(ROOT, file)).toBe(BADGE_FILE);
});

it('names a runtime where CI runs it, under the build that it takes, and no other', () => {
  const node = { name: 'Node 20', wasm: 'fused', ci: ['native', 'wasm'] };
  const texts = (...runtimes) => badgeTexts(runtimes)[1];
  expect(texts(node, { ...node, name: 'Node 26' }, { name: 'Bun', wasm: 'exact', ci: ['wasm'] })).toBe(
    'native: Node 20, 26 | wasm: Node 20, 26 | wasm-exact: Bun',
  );
  expect(texts(node, { name: 'Deno', wasm: 'fused' })).toBe('native: Node 20 | wasm: Node 20');
});

it('is of CI: .ci/run counts as many runs as the list has', () => {
  const count = RUNTIMES.flatMap(({ ci = [] }) => ci).length;
  expect(readFileSync(path.join(ROOT, '.ci', 'run'), 'utf8')).toContain(`"$scratch/runtimes.log")" -eq ${count} ]`);
});
