/**
 * `npm run setup:tensorflow`: makes `--engine tensorflow` work for this user, once for all checkouts. Needs nothing but
 * Node, pip and a C++ compiler. Ctrl-C is safe: the next run goes on from there.
 */
import { say, sayFailure } from './setup/report.mjs';
import { watchSignals } from './setup/signals.mjs';
import { isTensorFlowReady, setUpTensorFlow, tensorFlowFolder } from './setup/tensorflow.mjs';

const interrupt = watchSignals();

try {
  const wasReady = isTensorFlowReady();
  await setUpTensorFlow({ signal: interrupt.signal });
  say(
    `${wasReady ? 'tensorflow is up to date' : 'tensorflow is ready: lockstep train --engine tensorflow'} (${tensorFlowFolder()})`,
  );
} catch (error) {
  if (interrupt.signal.aborted) say('interrupted; the next run goes on from here');
  else sayFailure(error);
  process.exitCode = interrupt.signal.aborted ? interrupt.exitCode() : 1;
}
