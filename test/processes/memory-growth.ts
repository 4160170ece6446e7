/** How much a training process grows after its first 1,000 steps. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';

/** What heaps may still settle by. A copy of the parameters kept at each step would be 26 MB over 1,000 steps. */
export const GROWTH_BYTES = 16 * 2 ** 20;

/** RSS after so many steps less RSS after 1,000, in bytes: a process of its own trains. */
export function measureGrowth(steps: number): number {
  const script = path.resolve(import.meta.dirname, 'memory-run.mjs');
  const { stdout, stderr } = spawnSync(process.execPath, [script, String(steps)], { encoding: 'utf8' });
  if (stdout === '') throw new Error(`no report: ${stderr}`);
  const report = JSON.parse(stdout) as number[];
  return (report.at(-1) as number) - (report[0] as number);
}
