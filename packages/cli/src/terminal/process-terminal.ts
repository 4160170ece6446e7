/** What happens to the terminal of this process: Ctrl-Z, `fg`, another size of its window. */
import type { TerminalHandlers } from './io.js';

/** @returns what ends it; the process stops at Ctrl-Z as any other from then on */
export function watchTerminal({ suspend, resume, resize }: TerminalHandlers): () => void {
  const onStop = (): void => {
    suspend();
    // without a handler the signal stops the process, as it does any other
    process.off('SIGTSTP', onStop);
    process.kill(process.pid, 'SIGTSTP');
  };
  const onContinue = (): void => {
    process.off('SIGTSTP', onStop);
    process.on('SIGTSTP', onStop);
    resume();
  };
  process.on('SIGTSTP', onStop);
  process.on('SIGCONT', onContinue);
  process.stderr.on('resize', resize);
  return () => {
    process.off('SIGTSTP', onStop);
    process.off('SIGCONT', onContinue);
    process.stderr.off('resize', resize);
  };
}
