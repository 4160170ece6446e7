/** Says which imports break the rules of ARCHITECTURE.md. Rooms and their order are in tools/rooms.mjs. */
import path from 'node:path';
import { isTest, ORDER, readImports, resolveRelative, roomOf, type Source, stripComments } from '../../tools/rooms.mjs';

/** The packages, and which of ours each may import. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  kernels: [],
  worker: ['core', 'kernels'],
  coordinator: ['core'],
  watch: ['core'],
  schedules: ['core', 'worker', 'coordinator'],
  cli: ['core', 'kernels', 'worker', 'coordinator', 'watch'],
};

/** Rooms that only some of those behind them may import. */
const ONLY: Readonly<Record<string, readonly string[]>> = { 'cli/lab': ['cli/commands', 'cli/sprint-process'] };

/** What core must not contain: threads, sockets, other processes. */
const BANNED_IN_CORE = ['worker_threads', 'cluster', 'child_process', 'net', 'tls', 'dgram', 'http2'];

/** What other packages import of a package: `name/room` is the room's `index.ts`, `name` the package's own. */
const ENTRY = /\/index\.ts$/;

/**
 * One line for each import that breaks a rule.
 *
 * @param dependencies per package, the npm packages its package.json lists as dependencies
 */
export function findViolations(
  sources: readonly Source[],
  dependencies: Readonly<Record<string, readonly string[]>>,
): string[] {
  const broken = sources.flatMap(({ file, text }) =>
    readImports(text).flatMap((specifier) => {
      const reason = specifier.startsWith('.')
        ? judgeRelative(file, specifier)
        : judgeNamed(file, specifier, dependencies[packageOf(file)] ?? []);
      return reason === undefined ? [] : [`${file} imports ${specifier}: ${reason}`];
    }),
  );
  return [...broken, ...findCycles(sources), ...findFolderCycles(sources)];
}

const packageOf = (file: string): string => file.split('/')[1]!;

function judgeRelative(file: string, specifier: string): string | undefined {
  const target = resolveRelative(file, specifier);
  const own = packageOf(file);
  // A test may read a shared fixture; the sources of another package are reached by its name.
  if (!target.startsWith(`packages/${own}/`)) {
    return isTest(file) && !target.startsWith('packages/') ? undefined : `it leaves packages/${own}`;
  }
  if (isTest(file)) return undefined;
  if (ENTRY.test(target)) return 'an index.ts is for other packages, not for its own';
  if (isTest(target)) return 'it is there for tests only';
  return judgeRoom(roomOf(file), roomOf(target));
}

/** Within a package, a room imports only what stands before it. */
function judgeRoom(from: string, to: string): string | undefined {
  if (from === to) return undefined;
  const only = ONLY[to];
  if (only !== undefined && !only.includes(from)) return `only ${only.join(' and ')} may import ${to}`;
  const places = ORDER.flatMap(([name, rooms]) => rooms.map((room) => `${name}/${room}`));
  for (const room of [from, to]) if (!places.includes(room)) return `${room} has no place in tools/rooms.mjs`;
  return places.indexOf(to) < places.indexOf(from) ? undefined : `${to} stands behind ${from}`;
}

function judgeNamed(file: string, specifier: string, dependencies: readonly string[]): string | undefined {
  const own = packageOf(file);
  const ours = /^@lockstep\/([^/]+)(\/.*)?$/.exec(specifier) ?? /^(lockstep)(\/.*)?$/.exec(specifier);
  if (ours) {
    const target = ours[1] === 'lockstep' ? 'cli' : ours[1]!;
    if (!MAY_IMPORT[own]?.includes(target)) return `${own} may import ${listOr(MAY_IMPORT[own] ?? [])}`;
    const isEntry = ours[2] === undefined || /^(\/[a-z-]+){1,2}$/.test(ours[2]);
    return isEntry ? undefined : 'it reaches into another package; import its name, or a room of it';
  }
  if (isTest(file)) return undefined;
  if (specifier.startsWith('node:')) {
    const isBanned = own === 'core' && BANNED_IN_CORE.includes(specifier.slice('node:'.length));
    return isBanned ? 'core has no threads, sockets or processes' : undefined;
  }
  const name = /^(@[^/]+\/)?[^/]+/.exec(specifier)![0];
  return dependencies.includes(name) ? undefined : `packages/${own}/package.json does not list it`;
}

function listOr(names: readonly string[]): string {
  return names.length === 0 ? 'none of our packages' : `only ${names.join(', ')}`;
}

/** One line for each room that is missing in `tools/rooms.mjs`, or that is no longer there. */
export function findUnplaced(sources: readonly Source[]): string[] {
  const there = new Set(sources.filter(({ file }) => !isTest(file)).map(({ file }) => roomOf(file)));
  const placed = ORDER.flatMap(([name, rooms]) => rooms.map((room) => `${name}/${room}`));
  const missing = [...there].filter((room) => !placed.includes(room)).map((room) => `${room} has no place`);
  return [...missing, ...placed.filter((room) => !there.has(room)).map((room) => `there is no ${room}`)];
}

/**
 * The npm packages that are loaded with a source: by it and all that it imports, in our packages too. What is imported as
 * a type, or by `import()`, is not.
 *
 * @param read the text of a source, by its path from the repository root
 */
export function listLoaded(entry: string, read: (file: string) => string): string[] {
  const found = new Set<string>();
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const specifier of readLoadedImports(read(file))) {
      const ours = /^@lockstep\/([^/]+)(?:\/(.+))?$/.exec(specifier);
      if (specifier.startsWith('.')) visit(resolveRelative(file, specifier));
      else if (ours) visit(path.posix.join('packages', ours[1]!, 'src', ours[2] ?? '', 'index.ts'));
      else if (!specifier.startsWith('node:')) found.add(specifier);
    }
  };
  visit(entry);
  return [...found].sort();
}

function readLoadedImports(text: string): string[] {
  const statement = /^(?:import|export)\s+(?!type\b)(?:[\w*{},$\s]*?\bfrom\s*)?(['"])([^'"\n]+)\1/gm;
  return [...stripComments(text).matchAll(statement)].map((match) => match[2]!);
}

/** One line for each circle of imports among the given files, each once. */
export function findCycles(sources: readonly Source[]): string[] {
  return findCircles(mapImports(sources)).map((circle) => `import cycle: ${circle.join(' -> ')}`);
}

/** One line for each circle of imports among the folders of a room; rooms themselves have their order. */
export function findFolderCycles(sources: readonly Source[]): string[] {
  const folders = new Map<string, Set<string>>();
  for (const [file, targets] of mapImports(sources.filter(({ file }) => !isTest(file)))) {
    const folder = path.posix.dirname(file);
    const others = targets
      .filter((target) => roomOf(target) === roomOf(file))
      .map((target) => path.posix.dirname(target));
    folders.set(folder, new Set([...(folders.get(folder) ?? []), ...others.filter((other) => other !== folder)]));
  }
  return findCircles(folders).map((circle) => `circle of folders: ${circle.join(' -> ')}`);
}

/** What each file imports of the others. */
function mapImports(sources: readonly Source[]): Map<string, string[]> {
  const files = new Set(sources.map((source) => source.file));
  return new Map(
    sources.map(({ file, text }) => [
      file,
      readImports(text)
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => resolveRelative(file, specifier))
        .filter((target) => files.has(target)),
    ]),
  );
}

function findCircles(edges: ReadonlyMap<string, Iterable<string>>): string[][] {
  const done = new Set<string>();
  const circles: string[][] = [];
  const visit = (place: string, trail: readonly string[]): void => {
    const start = trail.indexOf(place);
    if (start >= 0) circles.push([...trail.slice(start), place]);
    if (start >= 0 || done.has(place)) return;
    for (const target of edges.get(place) ?? []) visit(target, [...trail, place]);
    done.add(place);
  };
  for (const place of edges.keys()) visit(place, []);
  return circles;
}
