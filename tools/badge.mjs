/** Draws the README's badge, `node tools/badge.mjs`: one hash, and on which builds and runtimes CI checks it each time. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CI_MODEL, isInCi, RUNTIMES } from './setup/runtimes.mjs';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
export const BADGE_FILE = path.join(ROOT, 'docs', 'one-hash.svg');

/** Of a digit of the font, in px at its size. */
const CHARACTER = 6.7;
const PADDING = 8;

/** `Node 20, 26, Bun` of `Node 20`, `Node 26`, `Bun`. */
const join = (names) => names.join(', ').replace(/(?<=Node \d+, )Node (?=\d+(,|$))/g, '');

/** The builds, each with the runtimes that CI runs it on. */
function listBuilds(runtimes) {
  const on = (holds) => join(runtimes.filter(holds).map(({ name }) => name));
  return [
    ['native', on((runtime) => isInCi(runtime, 'native'))],
    ['wasm', on((runtime) => isInCi(runtime, 'wasm') && runtime.wasm === 'fused')],
    ['wasm-exact', on((runtime) => isInCi(runtime, 'wasm') && runtime.wasm === 'exact')],
  ].filter(([, names]) => names !== '');
}

/** What the badge says, in two halves. */
export function badgeTexts(runtimes = RUNTIMES) {
  const hashes = JSON.parse(readFileSync(path.join(ROOT, 'runtime-tests', 'hashes.json'), 'utf8'));
  const builds = listBuilds(runtimes).map(([build, names]) => `${build}: ${names}`);
  return [`one hash: ${hashes[CI_MODEL].slice(0, 12)}`, builds.join(' | ')];
}

export function drawBadge(runtimes = RUNTIMES) {
  const [left, right] = badgeTexts(runtimes);
  const [leftWidth, rightWidth] = [left, right].map((text) => Math.round(text.length * CHARACTER) + 2 * PADDING);
  const width = leftWidth + rightWidth;
  const say = (text, x, at) =>
    `  <text x="${x + PADDING}" y="14" textLength="${at - 2 * PADDING}" lengthAdjust="spacingAndGlyphs">${text}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="20" role="img" aria-label="${left}; ${right}">`,
    `  <rect width="${width}" height="20" rx="3" fill="#555"/>`,
    `  <path d="M${leftWidth} 0h${rightWidth - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1 -3 3h-${rightWidth - 3}z" fill="#2d6e2d"/>`,
    '  <g fill="#fff" font-family="Verdana, DejaVu Sans, sans-serif" font-size="11">',
    `  ${say(left, 0, leftWidth)}`,
    `  ${say(right, leftWidth, rightWidth)}`,
    '  </g>',
    '</svg>',
    '',
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(BADGE_FILE, drawBadge());
