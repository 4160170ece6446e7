/** What `lockstep doctor` finds out about one thing. */
import { countOf } from '@lockstep/core/text';
import { spellCommands } from '../terminal/spelling.js';

/** good: nothing to do; notice: something is slower or missing that not everybody needs; problem: Lockstep cannot train. */
export type Verdict = 'good' | 'notice' | 'problem';

export interface Finding {
  /** What was looked at. */
  readonly name: string;
  readonly verdict: Verdict;
  /** What was found. */
  readonly text: string;
  /** What it costs, unless all is good. */
  readonly cost?: string;
  /** What to do about it. */
  readonly fix?: string;
}

/** With its commands spelled as here, for people and for programs alike. */
export const spellFinding = (finding: Finding, spelling: string): Finding => ({
  ...finding,
  text: spellCommands(finding.text, spelling),
  ...(finding.cost !== undefined && { cost: spellCommands(finding.cost, spelling) }),
  ...(finding.fix !== undefined && { fix: spellCommands(finding.fix, spelling) }),
});

const MARKS: Readonly<Record<Verdict, string>> = { good: 'ok', notice: 'note', problem: 'PROBLEM' };

/** A line each, and under those that are not good what they cost and what to do. */
export function formatFindings(findings: readonly Finding[]): string[] {
  const markWidth = Math.max(...Object.values(MARKS).map((mark) => mark.length));
  const nameWidth = Math.max(...findings.map(({ name }) => name.length));
  const indent = ' '.repeat(markWidth + nameWidth + 4);
  return findings.flatMap(({ name, verdict, text, cost, fix }) => [
    `${MARKS[verdict].padEnd(markWidth)}  ${name.padEnd(nameWidth)}  ${text}`,
    ...(cost === undefined ? [] : [`${indent}costs: ${cost}`]),
    ...(fix === undefined ? [] : [`${indent}fix:   ${fix}`]),
  ]);
}

/** `2 problems, 1 note`. */
export function summarizeFindings(findings: readonly Finding[]): string {
  const count = (verdict: Verdict, one: string, many: string): string[] => {
    const found = findings.filter((finding) => finding.verdict === verdict).length;
    return found === 0 ? [] : [countOf(found, one, many)];
  };
  const parts = [...count('problem', 'problem', 'problems'), ...count('notice', 'note', 'notes')];
  return parts.length === 0 ? 'Everything is in order.' : `${parts.join(', ')}.`;
}
