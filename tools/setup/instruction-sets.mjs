/** The instruction sets the kernels are compiled for, and which of them this processor has. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readSync } from 'node:fs';

/** Per instruction set, best first: the processor flags it needs and the compiler flags that allow it. */
export const INSTRUCTION_SETS = {
  avx512: {
    needs: ['avx512f', 'avx512bw', 'avx512dq', 'avx512vl', 'avx2', 'fma'],
    flags: ['-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl', '-mfma', '-mprefer-vector-width=512'],
  },
  avx2: { needs: ['avx2', 'fma'], flags: ['-mavx2', '-mfma'] },
  neon: { needs: ['asimd'], flags: [] },
};

/** The instruction sets this processor can run, best first; none where WebAssembly's kernels are all that it can. */
export function detectInstructionSets(has = readProcessorFlags()) {
  return Object.keys(INSTRUCTION_SETS).filter((isa) => INSTRUCTION_SETS[isa].needs.every((flag) => has.has(flag)));
}

/** What a run needs of them: the best, or the one that LOCKSTEP_ISA names. The others are for tests, which compare them. */
export function instructionSetsOfRun(asked = process.env.LOCKSTEP_ISA, available = detectInstructionSets()) {
  return available.includes(asked) ? [asked] : available.slice(0, 1);
}

/** The processor's flags, by their Linux names. Empty where the system does not say. */
export function readProcessorFlags(platform = process.platform, arch = process.arch) {
  if (arch === 'arm64') return new Set(['asimd']);
  if (platform === 'linux') return parseCpuinfo(readStart('/proc/cpuinfo'));
  if (platform === 'darwin') return parseSysctl(readSysctl());
  return new Set();
}

/** Flags of the first processor in /proc/cpuinfo. */
export function parseCpuinfo(text) {
  const line = /^flags\s*:\s*(.*)$/m.exec(text);
  return new Set(line ? line[1].trim().split(/\s+/) : []);
}

/** Flags as macOS prints them: `FMA`, `AVX2`, `AVX512F`. */
export function parseSysctl(text) {
  return new Set(text.toLowerCase().trim().split(/\s+/));
}

/** /proc/cpuinfo is long on a machine with many cores and slow to produce; its first processor is all we need. */
function readStart(file) {
  const buffer = Buffer.alloc(16 * 1024);
  try {
    const handle = openSync(file, 'r');
    try {
      let length = 0;
      for (let count = -1; count !== 0 && length < buffer.length; length += count) {
        count = readSync(handle, buffer, length, buffer.length - length, null);
      }
      return buffer.toString('utf8', 0, length);
    } finally {
      closeSync(handle);
    }
  } catch {
    return '';
  }
}

function readSysctl() {
  try {
    const names = ['machdep.cpu.features', 'machdep.cpu.leaf7_features'];
    return execFileSync('sysctl', ['-n', ...names], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}
