import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CodeSource, findGaps, findThinSections, readCodes } from './errors-doc.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const DOCUMENT = readFileSync(path.join(ROOT, 'docs', 'errors.md'), 'utf8');

/** What is thrown in production: not tests, nor what only tests use. */
function listSources(): CodeSource[] {
  const packages = readdirSync(path.join(ROOT, 'packages'));
  const folders = packages.flatMap((name) => [`packages/${name}/src`, `packages/${name}/native`]);
  return folders.flatMap((folder) =>
    listFiles(folder)
      .filter((name) => /\.(ts|cc|h)$/.test(name) && !/(^|\/)test-|\.test\.ts$/.test(name))
      .map((name) => ({ file: `${folder}/${name}`, text: readFileSync(path.join(ROOT, folder, name), 'utf8') })),
  );
}

function listFiles(folder: string): string[] {
  try {
    return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  } catch {
    return [];
  }
}

describe('docs/errors.md', () => {
  it('has a heading for every code in the sources, in alphabetical order, and no other', () => {
    expect(findGaps(listSources(), DOCUMENT)).toEqual([]);
  });

  it('says of every code when it comes, shows its text, and what to do', () => {
    expect(findThinSections(DOCUMENT)).toEqual([]);
  });
});

describe('the check of docs/errors.md', () => {
  const source = { file: 'a.ts', text: "throw new LockstepError('LOCKSTEP_A', text); warn({ code: 'LOCKSTEP_B' });" };

  it('finds a code without a heading, a heading without a code, and one out of order', () => {
    expect(findGaps([source], '## LOCKSTEP_A\n## LOCKSTEP_B\n')).toEqual([]);
    expect(findGaps([source], '## LOCKSTEP_A\n')).toEqual(['LOCKSTEP_B of a.ts has no heading']);
    expect(findGaps([source], '## LOCKSTEP_A\n## LOCKSTEP_B\n## LOCKSTEP_C\n')).toEqual(['no source has LOCKSTEP_C']);
    const late = '## LOCKSTEP_B\n## LOCKSTEP_A\n';
    expect(findGaps([source], late)).toEqual(['LOCKSTEP_A is twice or not in alphabetical order']);
  });

  it('finds a section that lacks its example', () => {
    expect(findThinSections('## LOCKSTEP_A\n\nWhen: now.\n\nWhat to do: wait.\n')).toEqual(['LOCKSTEP_A']);
    expect(findThinSections('## LOCKSTEP_A\n\nWhen: now.\n\n    it is.\n\nWhat to do: wait.\n')).toEqual([]);
  });

  it.each([
    ["LockstepError('LOCKSTEP_A', text)", ['LOCKSTEP_A']],
    ['napi_throw_error(env, "LOCKSTEP_A", text)', ['LOCKSTEP_A']],
    ["new Set(['LOCKSTEP_A', 'LOCKSTEP_B'])", ['LOCKSTEP_A', 'LOCKSTEP_B']],
    ["process.env['LOCKSTEP_A']", []],
    ["code.startsWith('LOCKSTEP_A')", []],
    ['/** throws LOCKSTEP_A */', []],
  ])('reads the codes of %s', (text, codes) => {
    expect(readCodes(text)).toEqual(codes);
  });
});
