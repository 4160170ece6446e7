/** WebAssembly's builds of the kernels: the compiled modules, and whether this engine computes what they promise. */
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import type { WasmIsa } from '../builds.js';
import { findBuild } from '../builds.js';
import { createMemory, markMemory, type WasmMemory } from './memory.js';
import { roundsOnce } from './probe.js';
import { WasmThread } from './thread.js';

/** The flag of V8 11 (Node 20). Newer ones print that they do not know it: it is set only where compiling has failed. */
const RELAXED_SIMD = '--experimental-wasm-relaxed-simd';

const modules = new Map<WasmIsa, WebAssembly.Module>();
const verdicts = new Map<WasmIsa, boolean>();

/** Whether the build is there, this engine can compile it, and rounds its multiply-adds once. */
export function canRunWasm(isa: WasmIsa): boolean {
  const known = verdicts.get(isa);
  if (known !== undefined) return known;
  const verdict = findBuild(isa) !== undefined && compiles(isa) && isRight(isa);
  verdicts.set(isa, verdict);
  return verdict;
}

/** Memory for a node's threads, with the first of them, which is the calling one. */
export function openWasm(isa: WasmIsa): { readonly wasm: WasmMemory; readonly thread: WasmThread } {
  const module = compile(isa);
  const memory = createMemory();
  const thread = new WasmThread(module, memory);
  thread.exports._initialize();
  const markAt = thread.exports.markAddress();
  markMemory(memory, markAt);
  return { wasm: { module, memory, markAt }, thread };
}

function isRight(isa: WasmIsa): boolean {
  const { thread } = openWasm(isa);
  return roundsOnce((a, b, c) => thread.multiplyAdd(a, b, c));
}

function compiles(isa: WasmIsa): boolean {
  try {
    compile(isa);
    return true;
  } catch {
    return false;
  }
}

function compile(isa: WasmIsa): WebAssembly.Module {
  const known = modules.get(isa);
  if (known) return known;
  const bytes = readFileSync(findBuild(isa) as string);
  const module = isa === 'wasm' ? compileRelaxed(bytes) : new WebAssembly.Module(bytes);
  modules.set(isa, module);
  return module;
}

function compileRelaxed(bytes: Uint8Array): WebAssembly.Module {
  try {
    return new WebAssembly.Module(bytes);
  } catch {
    setFlagsFromString(RELAXED_SIMD);
    return new WebAssembly.Module(bytes);
  }
}
