/** The commands that a document prints, and the marks of those that a test cannot run. */

/** Commands that belong together: one block, one table row or one paragraph's line. */
export interface CommandBlock {
  /** File and line, such as `README.md:12`. */
  readonly place: string;
  readonly commands: readonly string[];
}

export interface DocumentedCommands {
  readonly blocks: readonly CommandBlock[];
  /** As the marks name them: the beginning of a command. */
  readonly marks: readonly string[];
}

const PROGRAMS = 'npm (?:run|test|ci)|npx|lockstep|node|python|mpirun|srun|torchrun|kubectl|helm|openssl|tensorboard';
const STARTS_AS_COMMAND = new RegExp(`^(?:[A-Z_]+=\\S+ |umask \\d+; )*(?:(?:${PROGRAMS}) \\S|npm test)`);
const MARK = /^<!-- not run: (.+), since \S.* -->$/;

/**
 * Reads the commands out of Markdown: lines of indented and fenced blocks that start with a program's name, and code in
 * a line of text that starts with `npm`, `npx` or `lockstep` and is more than the name of a command.
 * A mark is a line such as ``<!-- not run: `npm test`, `npm run a`, since REASON -->``.
 */
export function readCommands(file: string, text: string): DocumentedCommands {
  const blocks: CommandBlock[] = [];
  const marks: string[] = [];
  let block: { place: string; commands: string[] } | undefined;
  let isFenced = false;
  const endBlock = (): void => {
    if (block && block.commands.length > 0) blocks.push(block);
    block = undefined;
  };
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const place = `${file}:${i + 1}`;
    let line = lines[i] as string;
    const mark = MARK.exec(line);
    if (mark) marks.push(...listCode(mark[1] as string));
    if (line.startsWith('```')) isFenced = !isFenced;
    if (isFenced || line.startsWith('    ')) {
      while (line.endsWith('\\') && i + 1 < lines.length) line = `${line.slice(0, -1).trimEnd()} ${lines[++i]?.trim()}`;
      const command = line.replace(/\s+#\s.*$/, '').trim();
      block ??= { place, commands: [] };
      if (STARTS_AS_COMMAND.test(command)) block.commands.push(...splitLine(command));
      continue;
    }
    endBlock();
    const inText = mark ? [] : listCode(line).filter((code) => isCommandInText(code, line.startsWith('|')));
    if (inText.length > 0) blocks.push({ place, commands: inText.flatMap(splitLine) });
  }
  endBlock();
  return { blocks, marks };
}

const listCode = (line: string): string[] => [...line.matchAll(/`([^`]+)`/g)].map((match) => match[1] as string);

/** `lockstep bench` in a sentence is a name; `a ...` and `COMMAND` stand for something else. */
function isCommandInText(code: string, isTable: boolean): boolean {
  if (/\.\.\.|\b(?:COMMAND|NAME|X)\b/.test(code)) return false;
  return (
    /^(?:npm (?:run \S|test|ci)|npx lockstep \S)/.test(code) ||
    (isTable ? /^lockstep [a-z]/ : /^lockstep [a-z]+ \S/).test(code)
  );
}

const splitLine = (line: string): string[] => line.split(/ && |; (?!.*\))/).map((part) => part.trim());

/** A command's words, as a shell splits them, and the file that its output goes to. */
export function splitWords(command: string): { words: string[]; output: string | undefined } {
  const words = [...command.matchAll(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g)].map(([word]) => word.replace(/['"]/g, ''));
  const at = words.indexOf('>');
  return at < 0 ? { words, output: undefined } : { words: words.slice(0, at), output: words[at + 1] };
}

/**
 * The arguments of `lockstep` that a command stands for.
 *
 * @param scripts of package.json
 * @returns undefined for another program
 * @throws if npm would keep a flag for itself
 */
export function toArguments(words: readonly string[], scripts: Readonly<Record<string, string>>): string[] | undefined {
  if (words[0] === 'lockstep') return words.slice(1);
  if (words[0] === 'npx' && words[1] === 'lockstep') return words.slice(2);
  if (words[0] !== 'npm' || words[1] !== 'run') return undefined;
  const rest = words.slice(2).filter((word, i) => !(i === 0 && word === '-s'));
  const script = /^exec node tools\/lockstep\.mjs ?(.*)$/.exec(scripts[rest[0] as string] ?? '');
  if (!script) return undefined;
  const before = rest.slice(1, rest.includes('--') ? rest.indexOf('--') : undefined);
  const kept = before.find((word) => word.startsWith('-'));
  if (kept) throw new Error(`npm keeps ${kept} for itself: put -- before it`);
  const behind = rest.includes('--') ? rest.slice(rest.indexOf('--') + 1) : [];
  return [...(script[1] ? [script[1]] : []), ...before, ...behind];
}

/** `NAME=value` before a program. */
export const isAssignment = (word: string): boolean => /^[A-Z_]+=/.test(word);

/** Parts what is to be run from what is marked, and finds the marks that no command begins with. */
export function sortCommands(documents: readonly DocumentedCommands[]): {
  toRun: CommandBlock[];
  marked: string[];
  needless: string[];
} {
  const [toRun, marked, needless]: [CommandBlock[], string[], string[]] = [[], [], []];
  for (const { blocks, marks } of documents) {
    const isMarked = (command: string): boolean => marks.some((mark) => command.startsWith(mark));
    const all = blocks.flatMap(({ commands }) => commands);
    marked.push(...all.filter(isMarked));
    needless.push(...marks.filter((mark) => !all.some((command) => command.startsWith(mark))));
    for (const { place, commands } of blocks) {
      const rest = commands.filter((command) => !isMarked(command));
      if (rest.length > 0) toRun.push({ place, commands: rest });
    }
  }
  return { toRun, marked, needless };
}
