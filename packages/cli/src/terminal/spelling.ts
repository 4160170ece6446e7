/** How a command is spelled where this program runs, so that what is printed can be pasted: the one place that knows. */
import { existsSync } from 'node:fs';
import path from 'node:path';

/** Texts are written with this word. */
const WRITTEN = 'lockstep';

const NAMES =
  'train|worker|peers|launch|evaluate|predict|export|data|summary|models|dashboard|bench|reproduce|speedrun|simulate|doctor|help';

/** The word as a word of its own, before one of its commands or flags or, in a usage line, before its options. */
const COMMAND = new RegExp(
  String.raw`(?<=^|[\s\`(])(?<!npx )lockstep (?=(?:${NAMES})(?![\w./-])|--(?:help|version)\b|\[)`,
  'gm',
);

/**
 * `lockstep` where a shell finds that, which is so in an installation for all projects; else `npx lockstep`: in a clone, and in
 * a project that has it among its packages.
 */
export function findSpelling(env: Readonly<Record<string, string | undefined>>): string {
  // npm puts the project's own programs on the path of what it starts; the shell above it does not have them
  const folders = (env['PATH'] ?? env['Path'] ?? '').split(path.delimiter).filter((folder) => !isOfProject(folder));
  const names = process.platform === 'win32' ? [`${WRITTEN}.cmd`, `${WRITTEN}.exe`] : [WRITTEN];
  const isFound = folders.some((folder) => names.some((name) => existsSync(path.join(folder, name))));
  return isFound ? WRITTEN : `npx ${WRITTEN}`;
}

const isOfProject = (folder: string): boolean => folder === '' || /[\\/]node_modules[\\/]\.bin[\\/]?$/.test(folder);

/** The text with its commands spelled as `spelling` says. */
export const spellCommands = (text: string, spelling: string): string => text.replace(COMMAND, `${spelling} `);
