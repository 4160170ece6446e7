/**
 * The rooms of the house, drawn from the imports: `node tools/rooms.mjs` puts the table between the marks of ARCHITECTURE.md,
 * and test/repository/architecture.test.ts compares. A room is a folder of a package's `src`, or a file that stands beside the folders.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const BEGIN = '<!-- rooms: drawn by tools/rooms.mjs -->';
const END = '<!-- /rooms -->';

/** The sources of all packages, as `{ file: 'packages/core/src/math/random.ts', text }`. */
export function readSources(root = ROOT) {
  return readdirSync(path.join(root, 'packages'))
    .sort()
    .flatMap((name) => listTypeScript(root, `packages/${name}/src`));
}

export const listTypeScript = (root, folder) =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((file) => `${folder}/${file.replaceAll(path.sep, '/')}`)
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .map((file) => ({ file, text: readFileSync(path.join(root, file), 'utf8') }));

/** The specifiers that a TypeScript source imports, re-exports or loads with `import()`; comments do not count. */
export function readImports(text) {
  const code = stripComments(text);
  const statement = /\b(?:import|export)\b(?:[\s\w*{},$]|\btype\b)*?\bfrom\s*(['"])([^'"\n]+)\1/g;
  const bare = /\bimport\s*\(?\s*(['"])([^'"\n]+)\1/g;
  return [statement, bare].flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[2]));
}

/** Strings are matched too, so that a `//` inside one is not taken for a comment. */
export function stripComments(text) {
  const stringOrComment = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;
  return text.replace(stringOrComment, (match) => (match.startsWith('/') ? ' ' : match));
}

/** Where a relative import leads, as a path from the repository root to a .ts file. */
export const resolveRelative = (file, specifier) =>
  path.posix.join(path.posix.dirname(file), specifier).replace(/\.js$/, '.ts');

/** `core/math` for `packages/core/src/math/random.ts`, `cli/main` for `packages/cli/src/main.ts`. */
export function roomOf(file) {
  const [, name, , place] = file.split('/');
  return `${name}/${place.replace(/\.ts$/, '')}`;
}

/** The room that a source's import leads to; undefined for what is not ours. */
export function roomOfImport(file, specifier) {
  if (specifier.startsWith('.')) return roomOf(resolveRelative(file, specifier));
  const [, name, place = 'index'] = /^@lockstep\/([^/]+)(?:\/([^/]+))?/.exec(specifier) ?? [];
  return name === undefined ? undefined : `${name}/${place}`;
}

/** Tests, and what only tests use: `test-*.ts`, `testing/`, and the slow, plain reference that kernels are compared with. */
export const isTest = (file) => /\.test\.ts$|\/test-[^/]+\.ts$|\/src\/(reference|testing)\//.test(file);

/** Which rooms each room imports, tests left out: a Map from a room to a Set of rooms. */
export function mapRooms(sources) {
  const rooms = new Map();
  for (const { file, text } of sources) {
    if (isTest(file)) continue;
    const room = roomOf(file);
    if (!rooms.has(room)) rooms.set(room, new Set());
    for (const specifier of readImports(text)) {
      const target = roomOfImport(file, specifier);
      if (target !== undefined && target !== room) rooms.get(room).add(target);
    }
  }
  return rooms;
}

/**
 * The table of ARCHITECTURE.md: a line for each room in the order of `order`, with what it imports of its own package (what
 * follows from others left out) and of other packages (core left out, which all but kernels import).
 */
export function drawRooms(sources, order) {
  const rooms = mapRooms(sources);
  const leadsTo = (from, to, seen = new Set()) =>
    from === to || (!seen.has(from) && [...(rooms.get(from) ?? [])].some((next) => leadsTo(next, to, seen.add(from))));
  const follows = (from, to) =>
    [...(rooms.get(from) ?? [])].some((next) => next !== to && leadsTo(next, to, new Set([from])));
  const rows = order.flatMap(([name, places]) =>
    places.map((place) => {
      const room = `${name}/${place}`;
      const targets = [...(rooms.get(room) ?? [])];
      const own = targets.filter((target) => target.startsWith(`${name}/`) && !follows(room, target));
      const others = new Set(
        targets.map((target) => target.split('/')[0]).filter((other) => other !== name && other !== 'core'),
      );
      const list = [...own.map((target) => target.split('/')[1]).sort(), ...[...others].sort().map((o) => `*${o}*`)];
      return `| ${room} | ${list.join(', ')} |`;
    }),
  );
  return ['| room | imports |', '|---|---|', ...rows].join('\n');
}

/** A document with the table between its marks. */
export function putRooms(document, table) {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`the document has no ${BEGIN} ... ${END}`);
  return `${document.slice(0, begin + BEGIN.length)}\n\n${table}\n\n${document.slice(end)}`;
}

/** Sources of a folder at most, tests and its index.ts left out: what one can hold in mind. */
export const MOST_SOURCES = 18;

/** The folders with more sources than that, as `packages/core/src/data has 19 sources`. */
export function findHeaps(sources) {
  const counts = new Map();
  for (const { file } of sources) {
    if (isTest(file) || file.endsWith('/index.ts')) continue;
    const folder = path.posix.dirname(file);
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return [...counts]
    .filter(([, count]) => count > MOST_SOURCES)
    .map(([folder, count]) => `${folder} has ${count} sources`);
}

/**
 * The rooms in the order that data flows; each imports only rooms of its package that stand before it, and packages that its
 * own may import. `only` names who may import a room, where that is not everybody behind it.
 */
export const ORDER = [
  [
    'core',
    [
      'errors',
      'machine',
      'files',
      'math',
      'spec',
      'events',
      'text',
      'model',
      'zoo',
      'run',
      'data',
      'door',
      'wire',
      'seams',
      'formats',
      'exports',
      'state',
    ],
  ],
  ['kernels', ['builds', 'calls', 'addons', 'wasm', 'load', 'records', 'ownership', 'program', 'program-ops', 'index']],
  [
    'worker',
    [
      'engine',
      'native-engine',
      'tensorflow-engine',
      'engines',
      'plan',
      'threads',
      'single-step',
      'exchange',
      'node',
      'connection',
      'index',
    ],
  ],
  ['coordinator', ['members', 'steps', 'run']],
  ['schedules', ['environment', 'world', 'network', 'machines', 'schedule', 'soak', 'main']],
  ['watch', ['files', 'log', 'metrics', 'trace', 'tensorboard', 'chronicle', 'page', 'report']],
  [
    'cli',
    [
      'terminal',
      'fields',
      'settings',
      'api',
      'index',
      'watching',
      'doctor',
      'exports',
      'launch',
      'command-line',
      'evaluation',
      'images',
      'lab',
      'commands',
      'npm-flags',
      'main',
      'bin',
      'sprint-process',
    ],
  ],
];

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = path.join(ROOT, 'ARCHITECTURE.md');
  writeFileSync(file, putRooms(readFileSync(file, 'utf8'), drawRooms(readSources(), ORDER)));
}
