/** `lockstep dashboard DIR...`: finished runs on the live page, one by itself or several compared. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { LockstepError } from '@lockstep/core/errors';
import { readText } from '@lockstep/core/files';
import { type Chronicle, parseChronicle } from '@lockstep/watch/chronicle';
import { findRun } from '@lockstep/watch/files';
import { completeSource, PageServer } from '@lockstep/watch/page';
import { CHRONICLE_FILE } from '@lockstep/watch/report';
import type { Command } from 'commander';
import { addExamples, addFields, type CommandContext, createCommand } from '../command-line.js';
import { findToken } from '../fields/cluster-fields.js';
import { DASHBOARD_PORT, parseAddress } from '../fields/dashboard-field.js';
import { type Field, fieldsIn } from '../fields/field.js';
import { getPath, readFlags } from '../settings/setting-source.js';
import { watchEnding } from '../terminal/ending.js';
import { type Io, tellNote, writeLine } from '../terminal/io.js';

const { text } = fieldsIn('Run');

const fields: readonly Field[] = [
  text('--port <port>', 'port', 'where to show them: a port, or host:port', { defaultText: String(DASHBOARD_PORT) }),
  text('--token-file <file>', 'tokenFile', 'secret that is asked of whoever opens the page'),
];

export function createDashboardCommand(context: CommandContext): Command {
  const command = createCommand('dashboard', context)
    .summary('look at finished runs, and compare them')
    .description(
      'Shows runs that `train` has left on a page: one by itself, several with their curves over one another.',
    )
    .argument('<folders...>', 'folders of runs, `latest`, or a folder with such folders in it');
  addFields(command, fields);
  addExamples(command, [
    ['lockstep dashboard latest', 'the latest run'],
    ['lockstep dashboard runs', 'all that are in it, compared'],
    ['lockstep dashboard runs/a runs/b', 'two of them'],
  ]);
  return command.action(async (folders: string[], options: Record<string, unknown>) => {
    await showRuns(folders, readFlags(fields, options).values, context.io);
  });
}

async function showRuns(given: readonly string[], values: Readonly<Record<string, unknown>>, io: Io): Promise<void> {
  const tokenFile = getPath(values, ['tokenFile']) as string | undefined;
  const address = parseAddress(getPath(values, ['port']) ?? true, '--port');
  const folders = findRuns(given, io);
  const names = nameRuns(folders);
  const runs = folders.map((folder, index) => ({
    name: names[index] as string,
    source: completeSource(readChronicle(folder)),
  }));
  const token = findToken(tokenFile, {});
  const page = await PageServer.open({
    flag: '--port',
    ...address,
    runs,
    token,
    tell: (line) => writeLine(io.stderr, line),
  });
  const ending = watchEnding(io);
  writeLine(io.stdout, `Page: ${page.address}, until Ctrl-C`);
  // a signal is how it ends, and cuts nothing short
  await new Promise<void>((done) => ending.signal.addEventListener('abort', () => done()));
  ending.stop();
  await page.close();
}

/**
 * The folders of runs among those given and in them; what is none is named and passed over.
 *
 * @throws LockstepError LOCKSTEP_DASHBOARD_FOLDER when none is left
 */
export function findRuns(given: readonly string[], io: Pick<Io, 'stderr'>): string[] {
  const isRun = (folder: string): boolean => existsSync(join(folder, CHRONICLE_FILE));
  const folders = given.flatMap((asked) => {
    const path = findRun(asked, (reason) => cannotShow(asked, reason));
    if (isRun(path) || !statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [path];
    const inside = readdirSync(path).map((name) => join(path, name));
    const runs = inside.filter(isRun);
    return runs.length === 0 ? [path] : runs;
  });
  const [runs, others] = [folders.filter(isRun), folders.filter((path) => !isRun(path))];
  if (runs.length === 0)
    throw cannotShow(given.join(', '), given.length === 1 ? whyNoRun(given[0] as string) : `none of them is a run`);
  for (const path of others) tellNote(io, `${path} is no run, and is not shown: ${whyNoRun(path)}.`);
  return [...new Set(runs)];
}

function whyNoRun(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return 'there is no such folder';
  return found.isDirectory() ? `there is no ${CHRONICLE_FILE} in it` : 'it is a file';
}

const cannotShow = (what: string, reason: string): LockstepError =>
  new LockstepError(
    'LOCKSTEP_DASHBOARD_FOLDER',
    `${what} cannot be shown: ${reason}. Give folders that \`lockstep train\` has left.`,
  );

/** The last parts of the paths, where these tell the folders apart. */
function nameRuns(folders: readonly string[]): string[] {
  const short = folders.map((folder) => basename(resolve(folder)));
  return new Set(short).size === short.length ? short : [...folders];
}

/** @throws LockstepError LOCKSTEP_DASHBOARD_FOLDER */
export function readChronicle(folder: string): Chronicle {
  const path = join(folder, CHRONICLE_FILE);
  const fail = (reason: string): LockstepError => cannotShow(folder, reason);
  let content: string;
  try {
    content = readText(path);
  } catch (error) {
    throw fail((error as Error).message);
  }
  const chronicle = parseChronicle(content);
  if (chronicle === undefined) throw fail(`its ${CHRONICLE_FILE} is damaged`);
  return chronicle;
}
