/** `lockstep doctor`. */
import type { Command } from 'commander';
import { addExamples, addFields, type CommandContext, createCommand } from '../command-line.js';
import { checkCacheFolder, checkDataset, checkPort } from '../doctor/environment-checks.js';
import { type Finding, formatFindings, spellFinding, summarizeFindings } from '../doctor/finding.js';
import { checkCompiler, checkCores, checkMemory, checkNode, checkProcessor } from '../doctor/machine-checks.js';
import { jsonField } from '../fields/common-fields.js';
import { parseEndpoint } from '../fields/endpoint.js';
import { fieldsIn } from '../fields/field.js';
import { readFlags } from '../settings/setting-source.js';
import { EXIT_FAILED } from '../terminal/failure.js';
import { type Io, writeJson, writeLine } from '../terminal/io.js';

const DEFAULT_LISTEN = '0.0.0.0:7400';

const listenField = fieldsIn('Run').text('--listen <host:port>', 'listen', 'try this port, as a coordinator would', {
  defaultText: DEFAULT_LISTEN,
});
const fields = [listenField, jsonField];

export function createDoctorCommand(context: CommandContext): Command {
  const command = createCommand('doctor', context)
    .summary('check this machine')
    .description(
      'Looks at engines, compiler, processor, cores, memory, Node, dataset cache and a port; says what each problem costs and how to fix it.',
    );
  addFields(command, fields);
  addExamples(command, [
    ['lockstep doctor', 'exit code 1 if this machine cannot train'],
    ['lockstep doctor --listen 0.0.0.0:9000', 'and whether that port is free'],
    ['lockstep doctor --json', 'one JSON object'],
  ]);
  return command.action(async (options: Record<string, unknown>) => {
    const { listen = DEFAULT_LISTEN, json } = readFlags(fields, options).values as { listen?: string; json?: boolean };
    context.exitCode = await runDoctor(parseEndpoint(listen, '--listen'), json === true, context.io);
  });
}

async function runDoctor({ host, port }: { host: string; port: number }, json: boolean, io: Io): Promise<number> {
  const findings = (await examine(host, port)).map((finding) => spellFinding(finding, io.spelling));
  const isGood = findings.every(({ verdict }) => verdict !== 'problem');
  if (json) writeJson(io.stdout, { event: 'doctor', good: isGood, findings });
  else for (const line of [...formatFindings(findings), '', summarizeFindings(findings)]) writeLine(io.stdout, line);
  return isGood ? 0 : EXIT_FAILED;
}

async function examine(host: string, port: number): Promise<Finding[]> {
  // Loaded here, so that the program starts without them.
  const { canCompile, checkNative, checkTensorFlow, listIsas } = await import('../doctor/engine-checks.js');
  const native = checkNative();
  const isas = listIsas();
  return [
    checkNode(),
    native,
    checkTensorFlow(),
    ...(canCompile() ? [await checkCompiler(native.verdict === 'problem')] : []),
    ...(isas.length === 0 ? [] : [checkProcessor(isas)]),
    checkCores(),
    checkMemory(),
    checkCacheFolder(),
    await checkDataset(),
    await checkPort(host, port),
  ];
}
