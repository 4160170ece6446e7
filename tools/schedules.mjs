/** `npm run schedules -- --seeds 1..1000`: sets up what is stale, then lets simulated runs of several machines happen. */
import { bootstrap } from './bootstrap.mjs';

if (await bootstrap()) {
  const { main } = await import('../packages/schedules/dist/main.js');
  process.exitCode = await main(process.argv.slice(2));
} else {
  process.exitCode = 1;
}
