/** `node tools/lockstep.mjs train ...`: sets up what is stale, then is the `lockstep` program, in this same process. */
import { bootstrap } from './bootstrap.mjs';

// the set-up heeds it too
if (process.argv.includes('--offline')) process.env.LOCKSTEP_OFFLINE = '1';

if (await bootstrap({ isForTests: false })) {
  const { main } = await import('../packages/cli/dist/main.js');
  process.exitCode = await main(process.argv.slice(2));
} else {
  process.exitCode = 1;
}
