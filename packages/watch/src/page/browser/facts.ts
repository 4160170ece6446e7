/** The recipe, the model's table, the epochs and the log. */

import { listDataFacts, tabulateClasses } from '@lockstep/core/text';
import type { About, Chronicle, LogLine } from '../../chronicle/chronicle.js';
import { listFacts, tabulateEpochs } from '../../chronicle/showing.js';
import { byId, describeFacts, element, fill, scrollable, setText, table } from './dom.js';
import { clock, count } from './format.js';

export function showRecipe(about: About): void {
  const facts = [...listFacts(about), ['begun', new Date(about.startedAt).toLocaleString()] as const];
  fill(byId('recipe'), ...describeFacts(facts));
  setText(byId('command'), about.command ?? '');
  byId('command-box').hidden = about.command === undefined;
}

export function showData({ report }: About): void {
  byId('data-card').hidden = report === undefined;
  if (report === undefined) return;
  fill(byId('data'), ...describeFacts(listDataFacts(report)));
  const { headings, rows } = tabulateClasses(report);
  fill(byId('classes'), scrollable('Classes', table(headings, rows, `l${'r'.repeat(headings.length - 1)}`)));
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
  const { headings, rows, best, bestColumn } = tabulateEpochs(epochs);
  const cells = rows.map((row, index) =>
    row.map((text, column) =>
      index === best && column === bestColumn ? element('span', { class: 'best' }, text, ' best') : text,
    ),
  );
  fill(byId('epochs'), scrollable('Epochs', table(headings, cells.reverse(), 'r'.repeat(headings.length))));
}

export function showLog(log: readonly LogLine[]): void {
  const lines = [...log]
    .reverse()
    .map(({ seconds, kind, text }) =>
      element('li', { class: kind }, element('time', {}, clock(seconds)), element('span', {}, text)),
    );
  fill(byId('log'), ...(lines.length > 0 ? lines : [element('li', { class: 'empty' }, 'Nothing yet')]));
}
