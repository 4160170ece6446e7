/** The top of the page: how far the run is, its numbers, its buttons. */
import { bestEpoch, countOf } from '@lockstep/core/text';
import type { Chronicle, Status } from '../../chronicle/chronicle.js';
import { describeResult, type KnownChronicle, nameOfPhase, percentOf, readNow } from '../../chronicle/showing.js';
import type { Ask } from './connection.js';
import { byId, describeFacts, element, fill, setText } from './dom.js';
import { count, duration, loss, rate } from './format.js';

/** Words for what a chronicle does not know of. */
const ELSEWHERE = { lost: 'Reconnecting', compared: 'Compared' } as const;

export function showPhase(status: Status | keyof typeof ELSEWHERE): void {
  const pill = byId('phase');
  setText(pill, typeof status === 'string' ? ELSEWHERE[status] : nameOfPhase(status));
  pill.dataset['phase'] = typeof status === 'string' ? status : status.phase;
}

export function showStatus({ about, status, epochs = [] }: Partial<Chronicle>): void {
  if (status === undefined) return;
  const total = about === undefined ? 0 : about.recipe.epochs * about.stepsPerEpoch;
  const share = total > 0 ? status.committed / total : 0;
  const bar = byId<HTMLProgressElement>('progress');
  bar.value = share;
  setText(byId('progress-text'), describeProgress(about, status, share));
  const now = readNow({ status, epochs });
  const last = epochs.at(-1);
  const best = bestEpoch(epochs);
  const ofLast = (text: string): string => (last && status.epoch !== last.epoch ? `epoch ${last.epoch}: ${text}` : '');
  const where = status.epoch > 0 ? `epoch ${status.epoch}` : '';
  setTile('loss', loss(now.trainLoss), last ? ofLast(loss(last.trainLoss)) || where : where);
  setTile('accuracy', percentOf(now.trainAccuracy), last ? ofLast(percentOf(last.trainAccuracy)) || where : where);
  setTile(
    'test',
    percentOf(now.test?.accuracy),
    now.test
      ? `loss ${loss(now.test.loss)}${best ? `, best ${percentOf(best.testAccuracy)} in epoch ${best.epoch}` : ''}`
      : 'after the first epoch',
  );
  setTile('rate', status.epoch > 0 ? rate(status.learningRate) : '–', about ? describeSchedule(about.recipe) : '');
  setTile(
    'speed',
    now.imagesPerSecond === undefined ? '–' : count(now.imagesPerSecond),
    about ? `${countOf(about.workers, 'worker')}, ${about.engine}` : '',
  );
  setTile('time', duration(status.seconds), describeRest(about, status, share));
  showResult({ about, status, epochs });
}

/** Filled once: what a person has selected stays so. */
function showResult(chronicle: KnownChronicle): void {
  const result = describeResult(chronicle);
  byId('result').hidden = result === undefined;
  if (result === undefined || byId('result-text').textContent === result.ending) return;
  setText(byId('result-text'), result.ending);
  const facts = result.results.map(
    ([name, value]) => [name, name === HASH ? element('code', { id: 'hash' }, value) : value] as const,
  );
  fill(byId('result-facts'), ...describeFacts(facts));
}

const HASH = 'Parameters SHA-256';

const describeSchedule = ({ schedule, learningRate }: NonNullable<Chronicle['about']>['recipe']): string =>
  schedule.type === 'constant' ? 'constant' : `${schedule.type}, peak ${rate(learningRate)}`;

function describeProgress(
  about: Chronicle['about'],
  { epoch, step, committed }: Chronicle['status'],
  share: number,
): string {
  if (about === undefined) return 'The run has not begun';
  const where =
    epoch === 0
      ? 'before the first step'
      : `epoch ${epoch} of ${about.recipe.epochs}, step ${step} of ${about.stepsPerEpoch}`;
  return `${Math.floor(100 * share)}% · ${where} · ${countOf(committed, 'step')} in all`;
}

function describeRest(
  about: Chronicle['about'],
  { phase, seconds, committed }: Chronicle['status'],
  share: number,
): string {
  const done = committed - (about?.resumedStep ?? 0);
  if (phase === 'ended' || phase === 'failed' || done <= 0 || share <= 0) return '';
  const rest = (seconds / done) * (committed / share - committed);
  return rest < 1 ? 'about to end' : `about ${duration(rest)} to go`;
}

function setTile(name: string, value: string, note: string): void {
  setText(byId(`tile-${name}`), value);
  setText(byId(`tile-${name}-note`), note);
}

/** The buttons, for who may press them. */
export class Buttons {
  readonly #box = byId('buttons');
  readonly #pause = byId<HTMLButtonElement>('pause');
  readonly #checkpoint = byId<HTMLButtonElement>('checkpoint');
  readonly #dialog = byId<HTMLDialogElement>('stop-dialog');
  #isPaused = false;

  constructor(ask: (ask: Ask) => void) {
    this.#pause.addEventListener('click', () => ask(this.#isPaused ? 'resume' : 'pause'));
    this.#checkpoint.addEventListener('click', () => ask('checkpoint'));
    byId('stop').addEventListener('click', () => this.#dialog.showModal());
    byId('stop-no').addEventListener('click', () => this.#dialog.close());
    byId('stop-yes').addEventListener('click', () => {
      this.#dialog.close();
      ask('stop');
    });
  }

  show(mayAsk: boolean, { status, about }: Partial<Chronicle>): void {
    const isOver = status?.phase === 'ended' || status?.phase === 'failed';
    this.#box.hidden = !mayAsk || isOver;
    this.#isPaused = status?.phase === 'paused';
    setText(this.#pause, this.#isPaused ? 'Resume' : 'Pause');
    this.#checkpoint.disabled = about?.hasCheckpoints !== true;
    this.#checkpoint.title = about?.hasCheckpoints === true ? '' : 'The run was started without --checkpoint';
  }
}
