/** `lockstep peers --connect URL`: who is in a run, and who is kept out of it. */
import type { Roster } from '@lockstep/core/events';
import { countOf, type RosterTable, rosterNodes, rosterRefused, rosterStruck } from '@lockstep/core/text';
import type { Command } from 'commander';
import { addExamples, addFields, type CommandContext, createCommand } from '../command-line.js';
import { findToken } from '../fields/cluster-fields.js';
import { jsonField } from '../fields/common-fields.js';
import { connectField, readConnect, readTlsCa, tlsCaField, tokenFileField } from '../fields/connect-fields.js';
import { type Field, fieldsIn, optionError, quote } from '../fields/field.js';
import { readChecked } from '../settings/setting-source.js';
import { type Io, writeJson, writeLine } from '../terminal/io.js';
import { formatTable } from '../terminal/text-table.js';

const fields: readonly Field[] = [
  connectField,
  tokenFileField,
  tlsCaField,
  fieldsIn('Run').text(
    '--pardon <name>',
    'pardon',
    'take back the strikes of nodes of this name, or from this address: they may come again',
  ),
  jsonField,
];

export function createPeersCommand(context: CommandContext): Command {
  const command = createCommand('peers', context)
    .summary('see who is in a run of several machines, and lift bans')
    .description(
      'Asks the coordinator of a run who takes part, who broke rules and who was turned away, and why. A node that broke ' +
        'rules three times is not let in again, until it is pardoned.',
    );
  addFields(command, fields);
  addExamples(command, [
    ['lockstep peers --connect ws://10.0.0.5:7400 --token-file secret', 'who is there'],
    ['lockstep peers --connect ws://10.0.0.5:7400 --token-file secret --pardon lab3', 'let lab3 in again'],
    ['lockstep peers --connect ws://10.0.0.5:7400 --token-file secret --json', 'one JSON object'],
  ]);
  return command.action(async (options: Record<string, unknown>) => {
    await showPeers(options, context.io);
  });
}

async function showPeers(options: Record<string, unknown>, io: Io): Promise<void> {
  const { values } = readChecked(fields, options);
  const get = (name: string): string | undefined => values[name] as string | undefined;
  const url = readConnect(get('connect'));
  const token = findToken(get('tokenFile'), io.env) ?? new Uint8Array(0);
  const pardon = get('pardon');
  const { visit } = await import('@lockstep/worker/connection');
  const roster = await visit({ url, token, tlsCa: readTlsCa(get('tlsCa')), pardon });
  if (values['json'] === true) writeJson(io.stdout, { event: 'peers', ...roster });
  else for (const line of formatRoster(roster, pardon)) writeLine(io.stdout, line);
  if (pardon !== undefined && roster.pardoned === 0) {
    const known = roster.struck.map(({ name, host }) => `${name} at ${host}`);
    const others = known.length === 0 ? 'Nobody has.' : `Those who have: ${known.join(', ')}.`;
    throw optionError(`--pardon ${quote(pardon)}: no node of this name or address has broken rules here. ${others}`);
  }
}

/** What people read: a paragraph for each list that is not empty. */
function formatRoster(roster: Roster, pardon?: string): string[] {
  const { run, step, nodes, pardoned } = roster;
  const lines = [`${run}, step ${step}: ${countOf(nodes.length, 'node')}`];
  const list = ({ title, heads, rows }: RosterTable): void => {
    if (rows.length > 0) lines.push('', `${title}:`, ...formatTable([heads, ...rows], heads.map(() => 'l').join('')));
  };
  if (pardoned > 0) lines.unshift(`${pardon} is pardoned: strikes of ${countOf(pardoned, 'node')} are taken back`);
  list(rosterNodes(roster));
  list(rosterStruck(roster));
  list(rosterRefused(roster));
  return lines;
}
