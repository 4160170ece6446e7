/** The process of one sprint: the `train` command as anybody would run it; at the end its core-seconds, a last JSON line. */
import { main } from '../main.js';

process.exitCode = await main(process.argv.slice(2));
const { user, system } = process.cpuUsage();
process.stdout.write(`${JSON.stringify({ event: 'cost', coreSeconds: (user + system) / 1e6 })}\n`);
