import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { configureTests } from './vitest.shared.ts';

/** A short file that runs for minutes; begun last, it would go on long after all others. */
const LONG = /same-bits/;

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification): boolean => LONG.test(moduleId);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

const config = configureTests(['test', 'tools'], { atOnce: 2 });

// The processes that these tests start wait for each other much of the time, so two files at once also on two cores.
export default { ...config, test: { ...config.test, sequence: { sequencer: LongFirst } } };
