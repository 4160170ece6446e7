/**
 * Reads damaged files, in a process of its own since what is looked for may end it: `node child.mjs {"seed","runs","names","sample"}`.
 * Says `{ reader }` before each reader, `{ reader, runs }` after it, and `{ reader, fault }` of what must not be.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { applyDamage, damage } from './damage.mjs';
import { HOSTILE } from './hostile-files.mjs';
import { openReaders } from './readers.mjs';

const { seed, runs, names, sample, isHostile } = JSON.parse(process.argv[2]);
/** Of this process, the libraries of all readers included. */
const MOST_BYTES = 512 * 2 ** 20;
/** Of one file. */
const MOST_CPU_MS = 5000;

const folder = mkdtempSync(path.join(tmpdir(), 'lockstep-foreign-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
process.chdir(folder);
process.env.LOCKSTEP_CACHE = path.join(folder, 'cache');

const isCoded = (error) =>
  error?.name === 'LockstepError' && /^LOCKSTEP_[A-Z0-9_]+$/.test(error.code) && error.text !== '';

if (isHostile) {
  for (const [name, [code, read]] of Object.entries(HOSTILE)) {
    process.send({ reader: name });
    const fault = await findHostileFault(code, () => read(path.join(folder, name.replaceAll(' ', '-'))));
    process.send(fault === undefined ? { reader: name, runs: 1 } : { reader: name, fault });
  }
  process.disconnect();
  process.exit(0);
}
for (const reader of await openReaders(folder, names, sample)) {
  process.send({ reader: reader.name });
  const fault = await findFault(reader);
  process.send(fault === undefined ? { reader: reader.name, runs } : { reader: reader.name, fault });
}
process.disconnect();

async function findFault(reader) {
  try {
    // whole it is read, or nothing would be found out
    await reader.read();
  } catch (error) {
    return `a whole file is not read: ${error.stack}`;
  }
  const property = fc.asyncProperty(damage, (steps) => readOne(reader, applyDamage(reader.bytes, steps, reader.bytes)));
  const { failed, counterexample, errorInstance } = await fc.check(property, { seed, numRuns: runs });
  return failed ? `seed ${seed}: ${errorInstance?.stack}\n${JSON.stringify(counterexample)}` : undefined;
}

async function readOne(reader, damaged) {
  writeFileSync(reader.file, reader.seal?.(damaged) ?? damaged);
  process.send({ reader: reader.name });
  await readWithin(async () => {
    try {
      await reader.read();
    } catch (error) {
      if (!isCoded(error)) throw error;
    }
  });
}

async function findHostileFault(code, read) {
  try {
    await readWithin(read);
    return 'it is read';
  } catch (error) {
    return isCoded(error) && error.code === code ? undefined : error.stack;
  }
}

/** @throws Error beyond the limits */
async function readWithin(read) {
  const before = process.cpuUsage();
  try {
    await read();
  } finally {
    const { user, system } = process.cpuUsage(before);
    const { maxRSS } = process.resourceUsage();
    if (user + system > 1000 * MOST_CPU_MS || 1024 * maxRSS > MOST_BYTES)
      // biome-ignore lint/correctness/noUnsafeFinally: whatever came of it, it took too much
      throw new Error(`it took ${(user + system) / 1000} ms and ${maxRSS >> 10} MiB`);
  }
}
