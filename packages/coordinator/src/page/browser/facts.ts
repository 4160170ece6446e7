/** The recipe, the model's table, the epochs and the log. */
import type { About, Chronicle, LogLine } from '../chronicle.js';
import { byId, element, fill, scrollable, setText, table } from './dom.js';
import { clock, count, duration, loss, percent, rate } from './format.js';

export function showRecipe(about: About): void {
  const facts: [string, string][] = [
    ['model', `${about.model}, ${count(about.parameters)} parameters`],
    ['data', about.data],
    ['images', describeImages(about)],
    ['seed', String(about.seed)],
    ['engine', `${about.engine}, ${about.workers} ${about.workers === 1 ? 'worker' : 'workers'}`],
    ...flatten(about.recipe),
    ['begun', new Date(about.startedAt).toLocaleString()],
  ];
  fill(byId('recipe'), ...facts.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]));
  setText(byId('command'), about.command ?? '');
  byId('command-box').hidden = about.command === undefined;
}

const describeImages = ({ trainSamples, validationSamples, testSamples }: About): string =>
  [
    `${count(trainSamples)} training`,
    validationSamples > 0 ? `${count(validationSamples)} validation` : '',
    `${count(testSamples)} test`,
  ]
    .filter((part) => part !== '')
    .join(', ');

/** `learningRate` becomes `learning rate`; nested fields become `optimizer momentum`. */
export function flatten(values: object, prefix = ''): [string, string][] {
  return Object.entries(values).flatMap(([key, value]): [string, string][] => {
    const name =
      key === 'type' ? prefix.trimEnd() : `${prefix}${key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}`;
    if (Array.isArray(value)) return [[name, value.join(', ')]];
    if (typeof value === 'object' && value !== null) return flatten(value, `${name} `);
    return [[name, typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value)]];
  });
}

export function showModel({ layers, parameters, multAdds }: About): void {
  const rows = layers.map((layer) => [
    layer.name,
    layer.type,
    layer.outputShape.join(' × '),
    layer.window,
    layer.parameters > 0 ? count(layer.parameters) : '',
    layer.multAdds > 0 ? count(layer.multAdds) : '',
  ]);
  const made = table(['Layer', 'Type', 'Output', 'k/s/p', 'Parameters', 'Mult-adds'], rows, 'lllrrr');
  made.append(
    element(
      'tfoot',
      {},
      element(
        'tr',
        {},
        element('td', { colspan: 4 }, 'In all'),
        element('td', { class: 'number' }, count(parameters)),
        element('td', { class: 'number' }, count(multAdds)),
      ),
    ),
  );
  fill(byId('model'), scrollable('Layers', made));
}

export function showEpochs(epochs: Chronicle['epochs']): void {
  if (epochs.length === 0) {
    fill(byId('epochs'), element('p', { class: 'empty' }, 'None yet'));
    return;
  }
  const hasValidation = epochs.some(({ validation }) => validation !== undefined);
  const best = Math.max(...epochs.map(({ testAccuracy }) => testAccuracy));
  const rows = [...epochs]
    .reverse()
    .map((epoch) => [
      epoch.epoch,
      rate(epoch.learningRate),
      loss(epoch.trainLoss),
      percent(epoch.trainAccuracy),
      ...(hasValidation ? [epoch.validation ? percent(epoch.validation.accuracy) : '–'] : []),
      loss(epoch.testLoss),
      element('span', { class: epoch.testAccuracy === best ? 'best' : undefined }, percent(epoch.testAccuracy)),
      count(epoch.imagesPerSecond),
      duration(epoch.seconds),
    ]);
  const head = [
    'Epoch',
    'Rate',
    'Train loss',
    'Train',
    ...(hasValidation ? ['Validation'] : []),
    'Test loss',
    'Test',
    'Images/s',
    'Time',
  ];
  fill(byId('epochs'), scrollable('Epochs', table(head, rows, 'r'.repeat(head.length))));
}

export function showLog(log: readonly LogLine[]): void {
  const lines = [...log]
    .reverse()
    .map(({ seconds, kind, text }) =>
      element('li', { class: kind }, element('time', {}, clock(seconds)), element('span', {}, text)),
    );
  fill(byId('log'), ...(lines.length > 0 ? lines : [element('li', { class: 'empty' }, 'Nothing yet')]));
}
