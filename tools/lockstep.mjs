/** `node tools/lockstep.mjs train ...`: sets up what is stale, then is the `lockstep` program, in this same process. */
import { areKernelsMissing, bootstrap, ROOT } from './bootstrap.mjs';
import { buildBeside } from './setup/kernels-beside.mjs';
import { say } from './setup/report.mjs';

// the set-up heeds it too
if (process.argv.includes('--offline')) process.env.LOCKSTEP_OFFLINE = '1';

let isCompiling = false;

/** Called by a run, before its first step. */
async function compileKernels() {
  say('compiling the kernels for this machine; until then a run computes with those in WebAssembly, to the same bits');
  isCompiling = true;
  const failure = await buildBeside(ROOT);
  isCompiling = false;
  return failure;
}

const mayBeginOnWasm = process.argv[2] === 'train';

if (await bootstrap({ isForTests: false, mayBeginOnWasm })) {
  const { main } = await import('../packages/cli/dist/main.js');
  const { processIo } = await import('../packages/cli/dist/terminal/process-io.js');
  const more = mayBeginOnWasm && areKernelsMissing() ? { compileKernels } : {};
  process.exitCode = await main(process.argv.slice(2), { ...processIo(), ...more });
  if (isCompiling)
    say(
      'the kernels for this machine are not all compiled yet: the next run goes on with that, `npm run build` does all of it',
    );
} else {
  process.exitCode = 1;
}
