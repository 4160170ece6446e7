/** `node tools/lockstep.mjs train ...`: sets up what is stale, then is the `lockstep` program, in this same process. */
import { areKernelsMissing, bootstrap, ROOT } from './bootstrap.mjs';
import { buildBeside, kernelsNeed } from './setup/kernels-beside.mjs';
import { say } from './setup/report.mjs';

// the set-up heeds it too
if (process.argv.includes('--offline')) process.env.LOCKSTEP_OFFLINE = '1';

/** The compiling that is going on. */
let beside;

/** Called by a run, before its first step. */
async function compileKernels() {
  say(
    'compiling the kernels for this machine; a run that need not wait computes in WebAssembly until then, to the same bits',
  );
  beside = buildBeside(ROOT);
  const failure = await beside.failure;
  beside = undefined;
  return failure;
}

const need = kernelsNeed(process.argv.slice(2));

if (await bootstrap({ isForTests: false, canUseWasm: true, mayBeginOnWasm: need !== 'native' })) {
  const { main } = await import('../packages/cli/dist/main.js');
  const { processIo } = await import('../packages/cli/dist/terminal/process-io.js');
  const more = need !== 'native' && areKernelsMissing() ? { compileKernels } : {};
  if (need === 'any' && more.compileKernels) {
    say('no kernels are compiled for this machine yet: this computes in WebAssembly, slower, to the same bits');
  }
  process.exitCode = await main(process.argv.slice(2), { ...processIo(), ...more });
  if (beside) {
    beside.leave();
    say(
      'the kernels for this machine are not all compiled: the next run goes on with that, `npm run build` does all of it',
    );
  }
} else {
  process.exitCode = 1;
}
