/**
 * What `npm run test:soak` repeats: the tests that draw at random, the quick and the slow ones, each round with another
 * seed. LOCKSTEP_SOAK has the number of rounds, LOCKSTEP_SEED the seed of the first.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { readImports, resolveRelative } from './rooms.mjs';

/** With these a round draws ten thousand models for each build: a million models in all. */
const USUAL_ROUNDS = 100;
/** Seeds are below this: fast-check takes 32 bits. */
const SEEDS = 2 ** 31;
/** A test that imports one of these, or a helper that does, draws. */
const DRAWS = /^fast-check$|\/support\/seed\.ts$/;
/** These draw the same in each round: faults planted in a build, and lists given to a cluster. */
const FIXED = /\/planted-faults\.slow\.test\.mjs$|\/clusters\//;

/** `{ rounds, firstSeed }` as the environment says, the seed at random unless it does; a text where it is wrong. */
export function readSoak(env = process.env) {
  const rounds = Number(env.LOCKSTEP_SOAK ?? USUAL_ROUNDS);
  const firstSeed = Number(env.LOCKSTEP_SEED ?? Math.floor(Math.random() * SEEDS));
  if (!Number.isInteger(rounds) || rounds < 1)
    return `LOCKSTEP_SOAK ${env.LOCKSTEP_SOAK}: must be a whole number from 1`;
  if (!Number.isInteger(firstSeed) || firstSeed < 0 || firstSeed >= SEEDS) {
    return `LOCKSTEP_SEED ${env.LOCKSTEP_SEED}: must be a whole number from 0 to ${SEEDS - 1}`;
  }
  return { rounds, firstSeed };
}

/** The seed of a round, counted from 0. */
export const seedOf = ({ firstSeed }, round) => (firstSeed + round) % SEEDS;

/**
 * The test files that draw, by folder.
 *
 * @param folders from the root: those of the packages, and `.` for what crosses them
 * @param filters parts of paths; none: all
 * @returns `[folder, files]` of each that has some, files from the folder
 */
export function listDrawing(root, folders, filters = []) {
  return folders
    .map((folder) => {
      const places = folder === '.' ? ['test', 'tools'] : [`${folder}/src`];
      const files = places.flatMap((place) => listFiles(root, place));
      const found = files.filter((file) => /\.test\.(ts|mjs)$/.test(file) && !FIXED.test(file) && draws(root, file));
      const wanted = found.filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)));
      return [folder, wanted.map((file) => path.posix.relative(folder, file)).sort()];
    })
    .filter(([, files]) => files.length > 0);
}

function listFiles(root, place) {
  const entries = readdirSync(path.join(root, place), { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'));
}

/** Whether a file draws, itself or through what it imports by a relative path. */
function draws(root, file, seen = new Set()) {
  if (seen.has(file)) return false;
  seen.add(file);
  const imports = readImports(readText(root, file));
  if (imports.some((specifier) => DRAWS.test(specifier))) return true;
  const own = imports.filter((specifier) => specifier.startsWith('.'));
  return own.some((specifier) => draws(root, resolveRelative(file, specifier), seen));
}

/** Nothing for what is built, or is no text. */
function readText(root, file) {
  if (!/\.(ts|mjs)$/.test(file) || file.includes('/dist/')) return '';
  try {
    return readFileSync(path.join(root, file), 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return '';
    throw error;
  }
}
