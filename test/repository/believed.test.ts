/** docs/cluster.md and the coordinator say the same of what a node may say, of every message that there is. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { believed, type Saying } from '../../packages/coordinator/dist/members/index.js';
import { type MessageType, messageTypes } from '../../packages/core/dist/wire/index.js';

const sayings: Readonly<Record<MessageType, Saying>> = believed;
const WHEN = { greeting: 'in the handshake', run: 'in the run', end: 'when it goes', mesh: 'to a node of a mesh' };

const isNever = (type: MessageType): boolean => sayings[type].when === 'never';

function drawRow(type: MessageType): string {
  const { when, about, follows } = sayings[type];
  return `| \`${type}\` | ${WHEN[when as keyof typeof WHEN]} | ${about} | ${follows} |`;
}

it('every kind of message has its row in the docs, in the words of the coordinator', () => {
  const docs = readFileSync(new URL('../../docs/cluster.md', import.meta.url), 'utf8');
  const never = messageTypes.filter(isNever).map((type) => `\`${type}\``);
  const told = Object.keys(sayings).filter((type) => !isNever(type as MessageType));
  expect([...told, ...messageTypes.filter(isNever)].sort()).toEqual([...messageTypes].sort());
  const rows = [
    '| message | when | about whom | what follows |',
    '|---|---|---|---|',
    ...told.map((type) => drawRow(type as MessageType)),
    `| ${never.join(', ')} | never | | ${sayings.challenge.follows} |`,
  ];
  expect(docs).toContain(`${rows.join('\n')}\n`);
});
