/** Checks what documents say about the repository: links, scripts, files. */

/** A document: its path from the repository root and its text. */
export interface Document {
  readonly file: string;
  readonly text: string;
}

/** What documents may refer to. */
export interface Surroundings {
  /** Every path in the repository, folders among them. */
  readonly paths: ReadonlySet<string>;
  /** Scripts of the root's package.json. */
  readonly scripts: ReadonlySet<string>;
}

/** One line for each link, `npm run` and file name that leads nowhere. */
export function findBroken(documents: readonly Document[], { paths, scripts }: Surroundings): string[] {
  const anchors = new Map(documents.map(({ file, text }) => [file, listAnchors(text)]));
  return documents.flatMap(({ file, text }) => [
    ...readLinks(text).flatMap((link) => {
      const [target = '', anchor] = link.split('#');
      const path = target === '' ? file : resolveFrom(file, target);
      if (!paths.has(path)) return [`${file}: nothing is at ${link}`];
      const isThere = anchor === undefined || (anchors.get(path)?.has(anchor) ?? false);
      return isThere ? [] : [`${file}: ${path} has no heading #${anchor}`];
    }),
    ...readScripts(text).flatMap((name) => (scripts.has(name) ? [] : [`${file}: there is no npm run ${name}`])),
  ]);
}

/** Links to files of the repository. */
const readLinks = (text: string): string[] =>
  [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] as string).filter((link) => !/^[a-z]+:/.test(link));

const readScripts = (text: string): string[] =>
  [...text.matchAll(/\bnpm run (?:-s )?([a-z][a-z:-]*)/g)].map((match) => match[1] as string);

/** Anchors of a document's headings, as GitHub makes them. */
function listAnchors(text: string): Set<string> {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map((match) => match[1] as string);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}_ -]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function resolveFrom(file: string, target: string): string {
  const parts = file.split('/').slice(0, -1);
  for (const part of target.replace(/\/$/, '').split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** File names between backquotes for which no path in the repository ends so; `*` stands for any name. */
export function findUnknownFiles(text: string, paths: ReadonlySet<string>): string[] {
  const names = [...text.matchAll(/`([\w./*-]+\.(?:ts|mjs|cc|h|json|md))`/g)].map((match) => match[1] as string);
  const all = [...paths];
  const isKnown = (name: string): boolean => {
    const pattern = name.split('*').map((part) => part.replace(/[.+]/g, '\\$&'));
    const end = new RegExp(`(^|/)${pattern.join('[^/]*')}$`);
    return all.some((path) => end.test(path));
  };
  return names.filter((name) => !isKnown(name));
}
