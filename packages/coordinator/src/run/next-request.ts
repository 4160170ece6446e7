/** Waits for whoever steers a run from outside. */
import type { RunControl } from '@lockstep/core/seams';

/** Resolves when something is asked of the run, or it is interrupted. */
export async function awaitRequest(control: RunControl, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = control.onChange(() => done());
    const done = (): void => {
      end();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    signal?.addEventListener('abort', done);
  });
}
