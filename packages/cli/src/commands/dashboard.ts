/** `lockstep dashboard DIR...`: finished runs on the live page, one by itself or several compared. */
import { readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { type Chronicle, completeSource, emptyChronicle, PageServer } from '@lockstep/coordinator/page';
import { LockstepError, parseJson } from '@lockstep/core';
import type { Command } from 'commander';
import { findToken } from '../cluster-fields.js';
import { DASHBOARD_PORT, parseAddress } from '../dashboard-field.js';
import { watchEnding } from '../ending.js';
import { type Field, isText } from '../fields.js';
import { type Io, writeLine } from '../io.js';
import { addExamples, addFields, type CommandContext, createCommand } from '../program.js';
import { CHRONICLE_FILE } from '../report/report-folder.js';
import { getPath, readFlags } from '../setting-source.js';

const text = (flags: string, path: string, description: string): Field => ({
  flags,
  path: [path],
  group: 'Run',
  kind: 'text',
  description,
  check: isText,
});

const fields: readonly Field[] = [
  { ...text('--port <port>', 'port', 'where to show them: a port, or host:port'), defaultText: String(DASHBOARD_PORT) },
  text('--token-file <file>', 'tokenFile', 'secret that is asked of whoever opens the page'),
];

export function createDashboardCommand(context: CommandContext): Command {
  const command = createCommand('dashboard', context)
    .summary('look at finished runs, and compare them')
    .description(
      'Shows runs that were started with --out on a page: one by itself, several with their curves over one another.',
    )
    .argument('<folders...>', 'folders of --out');
  addFields(command, fields);
  addExamples(command, [
    ['lockstep dashboard runs/a', 'a finished run'],
    ['lockstep dashboard runs/*', 'several, compared'],
  ]);
  return command.action(async (folders: string[], options: Record<string, unknown>) => {
    await showRuns(folders, readFlags(fields, options).values, context.io);
  });
}

async function showRuns(folders: readonly string[], values: Readonly<Record<string, unknown>>, io: Io): Promise<void> {
  const tokenFile = getPath(values, ['tokenFile']) as string | undefined;
  const address = parseAddress(getPath(values, ['port']) ?? true, '--port');
  const names = nameRuns(folders);
  const runs = folders.map((folder, index) => ({
    name: names[index] as string,
    source: completeSource(readChronicle(folder)),
  }));
  const token = findToken(tokenFile, {});
  const page = await PageServer.open({ flag: '--port', ...address, runs, token });
  const ending = watchEnding(io);
  writeLine(io.stdout, `Page: ${page.url}, until Ctrl-C`);
  // a signal is how it ends, and cuts nothing short
  await new Promise<void>((done) => ending.signal.addEventListener('abort', () => done()));
  ending.stop();
  await page.close();
}

/** The last parts of the paths, where these tell the folders apart. */
function nameRuns(folders: readonly string[]): string[] {
  const short = folders.map((folder) => basename(resolve(folder)));
  return new Set(short).size === short.length ? short : [...folders];
}

/** @throws LockstepError LOCKSTEP_DASHBOARD_FOLDER */
function readChronicle(folder: string): Chronicle {
  const path = join(folder, CHRONICLE_FILE);
  const fail = (reason: string): LockstepError =>
    new LockstepError(
      'LOCKSTEP_DASHBOARD_FOLDER',
      `${folder} cannot be shown: ${reason}. Give folders that \`lockstep train --out\` has left.`,
    );
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw fail(code === 'ENOENT' ? `there is no ${CHRONICLE_FILE} in it` : message);
  }
  const parsed = parseJson(content);
  const value = 'fault' in parsed ? undefined : (parsed.value as Partial<Chronicle> | null);
  if (typeof value?.about !== 'object' || !Array.isArray(value.epochs)) throw fail(`its ${CHRONICLE_FILE} is damaged`);
  return { ...emptyChronicle, ...value };
}
