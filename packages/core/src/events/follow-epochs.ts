/** The epochs of a run, as its events tell of them. */
import type { EpochEvent, RunEvent } from './events.js';

/**
 * Takes an event into the epochs of a run: one more, or without those that do not count any more.
 *
 * @returns whether they change
 */
export function followEpochs(epochs: EpochEvent[], event: RunEvent): boolean {
  if (event.event === 'epoch') epochs.push(event);
  if (event.event !== 'went-back') return event.event === 'epoch';
  const stand = epochs.filter(({ epoch }) => epoch <= event.epochs);
  return epochs.splice(0, epochs.length, ...stand).length > stand.length;
}
