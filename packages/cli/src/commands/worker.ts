/** `lockstep worker`: lends this machine's cores to a run on another. */
import { hostname } from 'node:os';
import { findCacheFolder } from '@lockstep/core/files';
import { type EngineName, engineNames, type KernelChoice, kernelChoices } from '@lockstep/core/seams';
import type { DatasetHeader } from '@lockstep/core/wire';
import type { Command } from 'commander';
import { readOwnCopy } from '../api/own-copy.js';
import { addExamples, addFields, type CommandContext, createCommand } from '../command-line.js';
import { findToken, transportField } from '../fields/cluster-fields.js';
import { connectField, readConnect, readTlsCa, tlsCaField, tokenFileField } from '../fields/connect-fields.js';
import { parseEndpoint } from '../fields/endpoint.js';
import { type Field, fieldsIn, isOneOf, isWholeNumber } from '../fields/field.js';
import { noteCrowd } from '../settings/crowd.js';
import { readChecked } from '../settings/setting-source.js';
import { EXIT_PREEMPTED, isPreempted, watchEnding } from '../terminal/ending.js';
import { describeError, EXIT_FAILED } from '../terminal/failure.js';
import { HealthServer } from '../terminal/health.js';
import { type Io, tellNote, writeLine } from '../terminal/io.js';

const MOST_WORKERS = 1024;
const DEFAULT_PATIENCE_S = 300;

const { text, number, toggle } = fieldsIn('Run');

const fields: readonly Field[] = [
  connectField,
  number('--threads, --workers <n>', 'workers', 'threads that compute', {
    defaultText: "this machine's cores",
    check: isWholeNumber(1, MOST_WORKERS),
  }),
  text('--engine <name>', 'engine', "what computes: the run's engine", {
    defaultText: engineNames[0],
    check: isOneOf(...engineNames),
  }),
  text('--kernels <which>', 'kernels', 'kernels of the native engine: auto, native (compiled here), wasm', {
    defaultText: kernelChoices[0],
    check: isOneOf(...kernelChoices),
  }),
  tokenFileField,
  text('--data <dir>', 'data', "this machine's copy of the data, if it has one", {
    defaultText: 'the cache, else from the coordinator',
  }),
  text('--name <name>', 'name', 'how the coordinator calls this node', { defaultText: "this machine's name" }),
  tlsCaField,
  text(
    '--mesh-listen <host:port>',
    'meshListen',
    'take connections of other nodes, for --topology mesh and hierarchical',
  ),
  { ...transportField, section: 'Run' },
  number('--connect-timeout <s>', 'connectTimeout', 'how long to try to connect, in seconds', {
    defaultText: String(DEFAULT_PATIENCE_S),
    check: isWholeNumber(1, 1e6),
  }),
  text('--health <host:port>', 'health', 'answer probes there: GET /healthz, and /readyz once this node takes part'),
  toggle('--preemptible', 'preemptible', 'after a signal but Ctrl-C end with exit code 75, to be started again'),
];

export function createWorkerCommand(context: CommandContext): Command {
  const command = createCommand('worker', context)
    .summary("lend this machine's cores to a run on another")
    .description(
      'Takes part in a run that `lockstep train --listen` has opened. Comes back when the connection is lost; Ctrl-C leaves in order.',
    );
  addFields(command, fields);
  addExamples(command, [
    ['lockstep worker --connect ws://10.0.0.5:7400 --token-file secret', 'every core of this machine'],
    ['lockstep worker --connect wss://trainer:7400 --tls-ca ca.pem --token-file secret --workers 4', 'over TLS'],
  ]);
  return command.action(async (options: Record<string, unknown>) => {
    context.exitCode = await runWorker(options, context.io);
  });
}

async function runWorker(options: Record<string, unknown>, io: Io): Promise<number> {
  const { health: endpoint, ...asked } = readOptions(options, io);
  noteCrowd(asked.workers, io, '--workers');
  const health = await HealthServer.open(endpoint);
  const { MpiWorld, runNode } = await import('@lockstep/worker/connection');
  const say = (line: string): void => writeLine(io.stderr, line);
  const isPreemptible = options['preemptible'] === true;
  let isWarned = false;
  const ending = watchEnding(io, {
    onFirst: () => say('Leaving the run; Ctrl-C again exits at once.'),
    isPreemptible,
    onOutputLost: (name, text) => writeLine(name === 'stdout' ? io.stderr : io.stdout, `warning: ${text}`),
    // Whoever warns a node warns the coordinator too: staying until that ends costs the run no step.
    ...(isPreemptible && {
      onWarning: () => {
        isWarned = true;
        say('Warned of the end: leaving when the coordinator does.');
      },
    }),
  });
  // a coordinator that is not there yet is tried many times: once is enough to say
  let last = '';
  const sayOnce = (line: string): void => {
    if (line !== last) say(line);
    last = line;
  };
  try {
    const carriers = asked.transport === 'mpi' ? MpiWorld.open() : undefined;
    const exitCode = await runNode({
      ...asked,
      carriers,
      cacheFolder: findCacheFolder(),
      signal: ending.signal,
      report: ({ kind, text: what }) => {
        if (kind === 'ready') health?.setReady();
        sayOnce(`${kind}: ${what}`);
      },
      mayReturn: () => !isWarned,
    });
    await carriers?.close();
    return isPreemptible && isPreempted(ending.signal) ? EXIT_PREEMPTED : exitCode;
  } catch (error) {
    if (isWarned) return EXIT_PREEMPTED;
    say(describeError(error, io.env));
    return EXIT_FAILED;
  } finally {
    ending.stop();
    health?.close();
  }
}

function readOptions(options: Record<string, unknown>, io: Io) {
  const { values } = readChecked(fields, options);
  const get = (name: string): string | undefined => values[name] as string | undefined;
  const url = readConnect(get('connect'));
  const meshListen = get('meshListen');
  const [health, data] = [get('health'), get('data')];
  const { workers = io.coreCount, connectTimeout = DEFAULT_PATIENCE_S } = values as Readonly<Record<string, number>>;
  return {
    url,
    engine: (get('engine') ?? engineNames[0]) as EngineName,
    kernels: get('kernels') as KernelChoice | undefined,
    workers,
    token: findToken(get('tokenFile'), io.env) ?? new Uint8Array(0),
    name: (get('name') ?? hostname()).slice(0, 100),
    tlsCa: readTlsCa(get('tlsCa')),
    health: health === undefined ? undefined : parseEndpoint(health, '--health'),
    meshListen: meshListen === undefined ? undefined : parseEndpoint(meshListen, '--mesh-listen'),
    transport: get('transport'),
    patienceMs: 1000 * connectTimeout,
    findDataset: async (header: DatasetHeader) =>
      data === undefined ? undefined : await readOwnCopy(data, header, (text) => tellNote(io, text)),
  };
}
