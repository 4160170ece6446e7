/** Reads the imports of sources and says which of them break the rules of ARCHITECTURE.md. */
import path from 'node:path';

/** The packages, and which of ours each may import. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  kernels: [],
  worker: ['core', 'kernels'],
  coordinator: ['core'],
  cli: ['core', 'kernels', 'worker', 'coordinator'],
};

/** What core must not contain: threads, sockets, other processes. */
const BANNED_IN_CORE = ['worker_threads', 'cluster', 'child_process', 'net', 'tls', 'dgram', 'http2'];

/** A source: its path from the repository root (`packages/core/src/x.ts`) and its text. */
export interface Source {
  readonly file: string;
  readonly text: string;
}

/** What other packages import of a package: `index.ts` by its name, `index-step.ts` by `name/step`. */
const ENTRY = /\/src\/index(-[a-z]+)?\.ts$/;

/** The specifiers that a TypeScript source imports, re-exports or loads with `import()`; comments do not count. */
export function readImports(text: string): string[] {
  const code = stripComments(text);
  const statement = /\b(?:import|export)\b(?:[\s\w*{},$]|\btype\b)*?\bfrom\s*(['"])([^'"\n]+)\1/g;
  const bare = /\bimport\s*\(?\s*(['"])([^'"\n]+)\1/g;
  return [statement, bare].flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[2]!));
}

/** Strings are matched too, so that a `//` inside one is not taken for a comment. */
function stripComments(text: string): string {
  const stringOrComment = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;
  return text.replace(stringOrComment, (match) => (match.startsWith('/') ? ' ' : match));
}

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
  return [...broken, ...findCycles(sources)];
}

function packageOf(file: string): string {
  return file.split('/')[1]!;
}

/** Tests, and what only tests use: `test-*.ts`, and the slow, plain reference that kernels are compared with. */
function isTest(file: string): boolean {
  return /\.test\.ts$|\/test-[^/]+\.ts$|\/src\/reference\//.test(file);
}

/** Where a relative import leads, as a path from the repository root to a .ts file. */
function resolveRelative(file: string, specifier: string): string {
  return path.posix.join(path.posix.dirname(file), specifier).replace(/\.js$/, '.ts');
}

function judgeRelative(file: string, specifier: string): string | undefined {
  const target = resolveRelative(file, specifier);
  const own = packageOf(file);
  // A test may read a shared fixture; the sources of another package are reached by its name.
  if (!target.startsWith(`packages/${own}/`)) {
    return isTest(file) && !target.startsWith('packages/') ? undefined : `it leaves packages/${own}`;
  }
  if (ENTRY.test(target) && !isTest(file))
    return `${path.posix.basename(target)} is for other packages, not for its own`;
  if (isTest(target) && !isTest(file)) return 'it is there for tests only';
  return undefined;
}

function judgeNamed(file: string, specifier: string, dependencies: readonly string[]): string | undefined {
  const own = packageOf(file);
  const ours = /^@lockstep\/([^/]+)(\/.*)?$/.exec(specifier) ?? /^(lockstep)(\/.*)?$/.exec(specifier);
  if (ours) {
    const target = ours[1] === 'lockstep' ? 'cli' : ours[1]!;
    if (!MAY_IMPORT[own]?.includes(target)) return `${own} may import ${listOr(MAY_IMPORT[own] ?? [])}`;
    const isEntry = ours[2] === undefined || /^\/[a-z]+$/.test(ours[2]);
    return isEntry ? undefined : 'it reaches into another package; import its name, or a name below it';
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
      else if (ours) visit(`packages/${ours[1]}/src/index${ours[2] === undefined ? '' : `-${ours[2]}`}.ts`);
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

/** One line for each import cycle among the given files, each cycle once. */
export function findCycles(sources: readonly Source[]): string[] {
  const files = new Set(sources.map((source) => source.file));
  const edges = new Map(
    sources.map(({ file, text }) => [
      file,
      readImports(text)
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => resolveRelative(file, specifier))
        .filter((target) => files.has(target)),
    ]),
  );
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, trail: readonly string[]): void => {
    const start = trail.indexOf(file);
    if (start >= 0) cycles.push(`import cycle: ${[...trail.slice(start), file].join(' -> ')}`);
    if (start >= 0 || done.has(file)) return;
    for (const target of edges.get(file) ?? []) visit(target, [...trail, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  return cycles;
}
