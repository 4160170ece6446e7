/** Fields of a run that other machines take part in. */

import type { Topology } from '@lockstep/coordinator/steps';
import { LockstepError } from '@lockstep/core/errors';
import { readText } from '@lockstep/core/files';
import { countOf } from '@lockstep/core/text';
import type { Io } from '../terminal/io.js';
import { type Endpoint, parseEndpoint } from './endpoint.js';
import { type Field, fieldsIn, isFraction, isOneOf, isWholeNumber, optionError, quote } from './field.js';

export const topologyNames = ['auto', 'star', 'mesh', 'hierarchical'] as const satisfies readonly Topology[];
const transportNames = ['tcp', 'mpi'] as const;

const MOST_NODES = 128;

const { text, number } = fieldsIn('Cluster');

/** Of `train` and of `worker`. */
export const transportField = text('--transport <name>', 'transport', 'how floats travel: tcp, or mpi under mpirun', {
  defaultText: transportNames[0],
  check: isOneOf(...transportNames),
});

export const clusterFields: readonly Field[] = [
  text('--listen <host:port>', 'listen', 'let other machines take part: they run `lockstep worker --connect`'),
  number('--wait-for <n>', 'waitFor', 'wait for n of them before the first step', {
    defaultText: '0, or 1 with --workers 0',
    check: isWholeNumber(0, MOST_NODES),
  }),
  number(
    '--expect <n>',
    'expect',
    'nodes that come sooner or later: the end waits a minute for them, to tell them of it',
    {
      defaultText: '0; launch knows them',
      check: isWholeNumber(0, MOST_NODES),
    },
  ),
  text('--token-file <file>', 'tokenFile', 'secret that every machine of the run holds', {
    defaultText: 'LOCKSTEP_TOKEN_FILE, else the text in LOCKSTEP_TOKEN',
  }),
  text(
    '--topology <name>',
    'topology',
    'how sums travel: star (through this machine), mesh (between all), hierarchical (through leaders); auto: star, and swapped between two',
    {
      defaultText: topologyNames[0],
      check: isOneOf(...topologyNames),
    },
  ),
  transportField,
  number('--audit <fraction>', 'audit', "share of the other machines' shards to compute twice and compare", {
    check: isFraction,
  }),
  text('--tls-cert <file>', 'tlsCert', 'certificate in PEM, for wss'),
  text('--tls-key <file>', 'tlsKey', 'its key in PEM'),
];

export interface ClusterSettings extends Endpoint {
  readonly waitFor: number;
  /** Nodes that come sooner or later, and are to hear of the end. */
  readonly expect: number;
  readonly token: Uint8Array | undefined;
  /** Where the token was read from, if by --token-file. */
  readonly tokenFile?: string | undefined;
  readonly topology: (typeof topologyNames)[number];
  readonly transport?: (typeof transportNames)[number] | undefined;
  readonly audit: number;
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
}

/** Fields of a cluster; undefined when the run stays in this process. */
export function resolveCluster(get: (name: string) => unknown, env: Io['env']): ClusterSettings | undefined {
  const listen = get('listen');
  const isAlone = get('workers') === 0;
  if (listen === undefined) {
    if (isAlone) throw optionError('--workers 0 needs --listen as well: somebody must compute');
    const hasPage = get('dashboard') !== undefined;
    const isUnused = (name: string): boolean => get(name) !== undefined && !(name === 'tokenFile' && hasPage);
    const other = clusterFields.find(({ path }) => isUnused(path[0] as string));
    if (other) throw optionError(`${other.flags.split(' ')[0]} needs --listen as well`);
    return undefined;
  }
  return {
    ...parseEndpoint(listen as string, '--listen'),
    waitFor: (get('waitFor') as number | undefined) ?? (isAlone ? 1 : 0),
    expect: (get('expect') as number | undefined) ?? 0,
    token: findToken(get('tokenFile') as string | undefined, env),
    tokenFile: get('tokenFile') as string | undefined,
    topology: (get('topology') as ClusterSettings['topology'] | undefined) ?? topologyNames[0],
    transport: (get('transport') as ClusterSettings['transport'] | undefined) ?? 'tcp',
    audit: (get('audit') as number | undefined) ?? 0,
    tlsCert: get('tlsCert') as string | undefined,
    tlsKey: get('tlsKey') as string | undefined,
  };
}

const LEAST_TOKEN_BYTES = 8;

/**
 * The run's secret, without the white space around it: of --token-file, else of the file that LOCKSTEP_TOKEN_FILE names,
 * else the text in LOCKSTEP_TOKEN.
 *
 * @returns undefined without any
 * @throws LockstepError LOCKSTEP_TOKEN when it cannot be read or is short
 */
export function findToken(path: string | undefined, env: Io['env']): Uint8Array | undefined {
  if (path !== undefined) return checkToken(readToken(path, `--token-file ${path}`), path);
  const named = env['LOCKSTEP_TOKEN_FILE'];
  if (named !== undefined) return checkToken(readToken(named, `LOCKSTEP_TOKEN_FILE ${named}`), named);
  const text = env['LOCKSTEP_TOKEN'];
  return text === undefined ? undefined : checkToken(text, 'the variable of that name');
}

function readToken(path: string, source: string): string {
  try {
    return readText(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason =
      code === 'ENOENT'
        ? `there is no such file. Make it once, for all machines of the run: openssl rand -hex 32 > ${quote(path)}`
        : `${message}.`;
    throw new LockstepError('LOCKSTEP_TOKEN', `cannot read ${source}: ${reason}`, { cause: error });
  }
}

function checkToken(token: string, source: string): Uint8Array {
  const bytes = Buffer.from(token.trim());
  if (bytes.length < LEAST_TOKEN_BYTES) {
    throw new LockstepError(
      'LOCKSTEP_TOKEN',
      `the token in ${source} has ${countOf(bytes.length, 'byte')}, at least ${LEAST_TOKEN_BYTES} are needed. A good one: openssl rand -hex 32.`,
    );
  }
  return bytes;
}
