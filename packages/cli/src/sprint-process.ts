/**
 * The process of one sprint: the `train` command as anybody would run it; at the end its core-seconds, a last JSON line.
 * It ends with the process that has started it, which alone hears signals.
 */
import { main } from './main.js';
import { processIo } from './terminal/process-io.js';

process.on('SIGINT', () => {});
process.once('disconnect', () => process.exit());
// listened to, and no reason to stay
process.channel?.unref();
const io = { ...processIo(), onInterrupt: () => () => {} };
process.exitCode = await main(process.argv.slice(2), io);
const { user, system } = process.cpuUsage();
io.stdout.write(`${JSON.stringify({ event: 'cost', coreSeconds: (user + system) / 1e6 })}\n`);
