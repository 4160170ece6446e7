/** The process of one memory measurement: loads the data, trains some steps, evaluates, and tells its resident memory. */
import { loadData } from '../../api/data.js';
import { describeError, EXIT_FAILED } from '../../terminal/failure.js';
import { writeLine } from '../../terminal/io.js';
import { processIo } from '../../terminal/process-io.js';
import { BenchNode } from './measure/bench-node.js';
import { planWorkload } from './measure/workload.js';
import type { MemorySample, MemoryTask } from './memory.js';

/** Steps after which every buffer has been written. */
const STEPS = 20;

process.once('message', (task: MemoryTask) => {
  measure(task).catch((error: unknown) => {
    writeLine(process.stderr, describeError(error, process.env));
    process.exit(EXIT_FAILED);
  });
});

async function measure({ model, recipe, data, workers }: MemoryTask): Promise<void> {
  // What there is to say about the data has been said by the process that asks.
  const io = { ...processIo(), stderr: { write: () => {} } };
  const dataset = await loadData({ path: data }, model, io);
  const beforeBytes = process.memoryUsage.rss();
  const node = new BenchNode(planWorkload(model, recipe, dataset, workers), workers);
  await node.trainSteps(STEPS);
  await node.evaluate(1);
  const sample: MemorySample = {
    beforeBytes,
    afterBytes: process.memoryUsage.rss(),
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
  await node.close();
  process.send?.(sample, () => process.disconnect());
}
