import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { configureTests } from './vitest.shared.ts';

/** These run longest; begun last, one would go on alone. Later runs know all times, a first one goes by the sizes of files. */
const LONG = /\/(cluster|cluster-hierarchy|same-bits|tensorflow|hostile)\.test/;

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification): boolean => LONG.test(moduleId);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

const config = configureTests(['test', 'tools', 'runtime-tests'], { atOnce: 3 });

// The processes that these tests start wait for each other much of the time, so three files at once also on two cores.
export default { ...config, test: { ...config.test, sequence: { sequencer: LongFirst } } };
