/** Tests that need the tensorflow engine: skipped, under a name that says why, where it is not set up. */
import { describe, it } from 'vitest';
import {
  isTensorFlowSetUp,
  SETUP_COMMAND,
  tensorFlowFolder,
} from '../../packages/worker/dist/tensorflow-engine/index.js';

/** As `describe`; LOCKSTEP_REQUIRE_TENSORFLOW=1 makes a missing set-up a failure. */
export function describeTensorFlow(name: string, tests: () => void): void {
  if (isTensorFlowSetUp()) {
    describe(name, tests);
    return;
  }
  const reason = process.env['LOCKSTEP_TENSORFLOW_REASON'] ?? `run ${SETUP_COMMAND}`;
  const text = `needs the tensorflow engine, which is not in ${tensorFlowFolder()}: ${reason}`;
  describe(name, () => {
    if (process.env['LOCKSTEP_REQUIRE_TENSORFLOW'] === '1') {
      it(text, () => {
        throw new Error(text);
      });
    } else {
      it.skip(text, () => {});
    }
  });
}
