/** Reads callgrind's counts and compares them with those of the repository. */

/** Instructions in a callgrind output file. Throws when it has none: nothing was collected. */
export function parseCount(text) {
  const count = Number(/^(?:totals|summary): (\d+)/m.exec(text)?.[1] ?? 0);
  if (count === 0) throw new Error('callgrind collected nothing: does it still find the function measuredStep?');
  return count;
}

/** Compilers whose code is alike enough to compare: `gcc 12`, `clang 17`, else the whole text. */
export function describeCompiler(version) {
  const clang = /clang version (\d+)/.exec(version)?.[1];
  if (clang !== undefined) return `clang ${clang}`;
  const gcc = /^\S*(?:g\+\+|gcc|c\+\+)\S* .*?(\d+)\.\d+\.\d+\s*$/m.exec(version)?.[1];
  return gcc === undefined ? version.split('\n')[0] : `gcc ${gcc}`;
}

/**
 * Compares counts with recorded ones.
 *
 * @param recorded `{ compiler, counts }` of the same build, if there is one
 * @param measured `{ compiler, counts }`
 * @param tolerance fraction by which a count may be larger
 * @returns lines to print, and whether nothing got worse; what got much better should be recorded, but is no failure
 */
export function compareCounts(recorded, measured, tolerance) {
  if (recorded?.compiler !== measured.compiler) {
    const known = recorded === undefined ? 'no counts of this build' : `counts of ${recorded.compiler}`;
    const line = `NOT COMPARED: the repository has ${known}, the kernels here are built with ${measured.compiler}`;
    return { lines: [line], isGood: true };
  }
  const rows = Object.entries(measured.counts).map(([model, count]) =>
    judge(model, count, recorded.counts[model], tolerance),
  );
  return { lines: rows.map(({ line }) => line), isGood: rows.every(({ isGood }) => isGood) };
}

const UPDATE = 'npm run test:instructions -- --update';

function judge(model, count, before, tolerance) {
  if (before === undefined) return { line: `${model}: FAILED, no count is recorded: ${UPDATE}`, isGood: false };
  const change = count / before - 1;
  const percent = `${change < 0 ? '' : '+'}${(100 * change).toFixed(2)}%`;
  const text = `${model}: ${count.toLocaleString('en-US')} instructions, ${percent} of ${before.toLocaleString('en-US')}`;
  if (count > before * (1 + tolerance)) {
    const limit = `more than ${100 * tolerance}% above; if that is meant: ${UPDATE}`;
    return { line: `${text}: FAILED, ${limit}`, isGood: false };
  }
  return { line: count < before * (1 - tolerance) ? `${text}: much better, record it: ${UPDATE}` : text, isGood: true };
}
