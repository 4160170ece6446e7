/** The machine: Node, processor, cores, memory, compiler. */

import { execFile } from 'node:child_process';
import { cpus, freemem, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { findUsableCores, type UsableCores } from '@lockstep/core/machine';
import { countOf, fixed } from '@lockstep/core/text';
import { inClone } from '@lockstep/kernels';
import type { Finding } from './finding.js';

const OLDEST_NODE = 20;
/** What a run on MNIST takes at the most, with room: the data, the largest model of the zoo and Node. */
const NEEDED_BYTES = 1e9;

export function checkNode(version: string = process.versions.node): Finding {
  const name = 'Node';
  if (Number(version.split('.')[0]) >= OLDEST_NODE) return { name, verdict: 'good', text: version };
  return {
    name,
    verdict: 'problem',
    text: `${version}, older than ${OLDEST_NODE}`,
    cost: 'Lockstep uses what older ones do not have, and stops with errors that do not say so',
    fix: 'install a current one from https://nodejs.org',
  };
}

/** What instruction sets the kernels are built for and this processor has, best first. */
export function checkProcessor(isas: readonly string[], model: string = cpus()[0]?.model.trim() ?? ''): Finding {
  const name = 'processor';
  const text = `${model === '' ? process.arch : model}: ${isas.join(', ')}`;
  const best = isas[0];
  if (best === 'wasm') {
    const cost = 'training is some three times slower than with kernels compiled here; the results are the same';
    return { name, verdict: 'notice', text, cost, fix: `${inClone('npm run build')}, with a C++20 compiler` };
  }
  if (best !== undefined && best !== 'wasm-exact') return { name, verdict: 'good', text };
  return {
    name,
    verdict: 'notice',
    text,
    cost: 'training is some 30 to 60 times slower than with AVX2 or NEON; the results are the same',
    fix: 'a processor with AVX2 (x64 since 2013) or NEON (every arm64); in a virtual machine, let it show the host’s features',
  };
}

export function checkCores(usable: UsableCores = findUsableCores(), installed: number = cpus().length): Finding {
  const name = 'cores';
  const { count, allowed, quota } = usable;
  if (count >= installed) return { name, verdict: 'good', text: `${count}, the default of --workers` };
  const limits = [
    ...(allowed < installed ? [`${allowed} of ${installed}`] : []),
    ...(quota ? [`${Number(fixed(quota.cores, 2))} of ${installed} by the quota in ${quota.file}`] : []),
  ];
  return {
    name,
    verdict: 'notice',
    text: `this process may use ${limits.join(' and ')}; the default of --workers is ${count}`,
    cost: `${countOf(count, 'worker computes', 'workers compute')} at once`,
    fix: 'give the process or container more (taskset, docker --cpus, the quota of the cgroup)',
  };
}

/** Within the limit of a container, if there is one. */
export function checkMemory(free: number = availableMemory(), total: number = totalmem()): Finding {
  const name = 'memory';
  const gigabytes = (bytes: number): string => fixed(bytes / 1e9, 1);
  const text = `${gigabytes(free)} GB free of ${gigabytes(total)} GB`;
  if (free >= NEEDED_BYTES) return { name, verdict: 'good', text };
  return {
    name,
    verdict: 'notice',
    text,
    cost: 'a run on MNIST with the largest model takes up to 1 GB; the system may end it, or swap',
    fix: 'end other programs, or train a smaller model or on fewer --workers',
  };
}

function availableMemory(): number {
  const { availableMemory: ask } = process as { availableMemory?: () => number };
  return ask === undefined ? freemem() : ask.call(process);
}

const COMPILER_NAMES = ['c++', 'g++', 'clang++'] as const;

/** @param isNeeded whether the kernels have to be built yet */
export async function checkCompiler(isNeeded: boolean, env: NodeJS.ProcessEnv = process.env): Promise<Finding> {
  const name = 'compiler';
  const names = env['CXX'] ? [env['CXX']] : COMPILER_NAMES;
  for (const candidate of names) {
    const version = await readVersion(candidate, env);
    if (version !== undefined) return { name, verdict: 'good', text: version };
  }
  return {
    name,
    verdict: isNeeded ? 'problem' : 'notice',
    text: `none of ${names.join(', ')} runs`,
    cost: 'the kernels and the tensorflow engine cannot be built again; what is built goes on working',
    fix: 'apt-get install g++, dnf install gcc-c++ or xcode-select --install; or LOCKSTEP_INSTALL_COMPILER=zig npm run build',
  };
}

async function readVersion(command: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const [file = '', ...words] = command.trim().split(/\s+/);
  try {
    const { stdout } = await promisify(execFile)(file, [...words, '--version'], { env });
    return stdout.split('\n')[0]?.trim();
  } catch {
    return undefined;
  }
}
