/** The top of the page: how far the run is, its numbers, its buttons. */
import type { Chronicle } from '../chronicle.js';
import type { Ask } from './connection.js';
import { byId, setText } from './dom.js';
import { count, duration, loss, percent, rate } from './format.js';

const PHASES = {
  starting: 'Starting',
  training: 'Training',
  evaluating: 'Evaluating',
  paused: 'Paused',
  waiting: 'Waiting for nodes',
  ended: 'Finished',
  failed: 'Failed',
  lost: 'Reconnecting',
  compared: 'Compared',
} as const;

export type Phase = keyof typeof PHASES;

export function showPhase(phase: Phase): void {
  const pill = byId('phase');
  setText(pill, PHASES[phase]);
  pill.dataset['phase'] = phase;
}

export function showStatus({ about, status, epochs = [] }: Partial<Chronicle>): void {
  if (status === undefined) return;
  const total = about === undefined ? 0 : about.recipe.epochs * about.stepsPerEpoch;
  const share = total > 0 ? status.committed / total : 0;
  const bar = byId<HTMLProgressElement>('progress');
  bar.value = share;
  setText(byId('progress-text'), describeProgress(about, status, share));
  const last = epochs.at(-1);
  const best = epochs.reduce((most, { testAccuracy }) => Math.max(most, testAccuracy), 0);
  setTile(
    'loss',
    status.epoch > 0 ? loss(status.loss) : '–',
    last ? `epoch ${last.epoch}: ${loss(last.trainLoss)}` : '',
  );
  setTile(
    'accuracy',
    status.epoch > 0 ? percent(status.accuracy) : '–',
    last ? `epoch ${last.epoch}: ${percent(last.trainAccuracy)}` : '',
  );
  setTile(
    'test',
    last ? percent(last.testAccuracy) : '–',
    last ? `best ${percent(best)}, loss ${loss(last.testLoss)}` : 'after the first epoch',
  );
  setTile('rate', status.epoch > 0 ? rate(status.learningRate) : '–', about ? describeSchedule(about.recipe) : '');
  setTile(
    'speed',
    status.imagesPerSecond > 0 ? count(status.imagesPerSecond) : '–',
    about ? `${about.workers} ${about.workers === 1 ? 'worker' : 'workers'}, ${about.engine}` : '',
  );
  setTile('time', duration(status.seconds), describeRest(about, status, share));
  const { end, failure } = status;
  byId('result').hidden = end === undefined && failure === undefined;
  setText(
    byId('result-text'),
    failure ??
      (end
        ? `Test set: ${end.test.correct}/${end.test.total} (${percent(end.test.accuracy)}), loss ${loss(end.test.loss)}. ${REASONS[end.reason] ?? end.reason}.`
        : ''),
  );
  setText(byId('hash'), end?.parametersSha256 ?? '');
  byId('hash-box').hidden = end === undefined;
}

const REASONS: Readonly<Record<string, string>> = {
  completed: 'All epochs are done',
  steps: 'The steps asked for are done',
  until: 'The accuracy asked for was reached',
  patience: 'It got no better',
  interrupted: 'It was stopped',
};

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
  return `${Math.floor(100 * share)}% · ${where} · ${count(committed)} steps in all`;
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
