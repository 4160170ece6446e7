/** The platforms whose kernels are in the package, as platformName of packages/kernels/src/builds.ts names them. */
import { INSTRUCTION_SETS } from '../setup/instruction-sets.mjs';

const X64 = ['avx512', 'avx2'];
const ARM64 = ['neon'];

/**
 * Per platform: the target as zig names it, the instruction sets, and how an addon leaves Node-API's functions open until
 * it is loaded. An ELF library may; macOS's linker has to be told; Windows wants an import library of node.exe.
 */
export const PLATFORMS = {
  // Debian 10, Ubuntu 20.04, RHEL 8 and newer
  'linux-x64-glibc': { zigTarget: 'x86_64-linux-gnu.2.28', isas: X64, opens: 'elf' },
  'linux-x64-musl': { zigTarget: 'x86_64-linux-musl', isas: X64, opens: 'elf' },
  'linux-arm64-glibc': { zigTarget: 'aarch64-linux-gnu.2.28', isas: ARM64, opens: 'elf' },
  'linux-arm64-musl': { zigTarget: 'aarch64-linux-musl', isas: ARM64, opens: 'elf' },
  'win32-x64': { zigTarget: 'x86_64-windows-gnu', isas: X64, opens: 'dll', dllMachine: 'i386:x86-64' },
  'win32-arm64': { zigTarget: 'aarch64-windows-gnu', isas: ARM64, opens: 'dll', dllMachine: 'arm64' },
  'darwin-arm64': { zigTarget: 'aarch64-macos', isas: ARM64, opens: 'macho' },
};

/** The instruction sets of a platform that are not among the builds `has(platform, isa)`, as `win32-x64: avx2`. */
export function findMissing(has, platforms = Object.keys(PLATFORMS)) {
  return platforms.flatMap((platform) => {
    const missing = PLATFORMS[platform].isas.filter((isa) => INSTRUCTION_SETS[isa] && !has(platform, isa));
    return missing.length === 0 ? [] : [`${platform}: ${missing.join(', ')}`];
  });
}
