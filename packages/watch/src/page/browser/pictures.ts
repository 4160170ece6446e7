/** What the network sees, and what it gets wrong. */
import { countOf, formatCountOf } from '@lockstep/core/text';
import type { Chronicle, FilterSheet, InputSheet, Judgement } from '../../chronicle/chronicle.js';
import { describeMoment, percentOf } from '../../chronicle/showing.js';
import { byId, element, fill, scrollable, setText } from './dom.js';
import { count, rate } from './format.js';

type Names = readonly string[];

const nameOf = (names: Names, label: number): string => names[label] ?? String(label);

function showInputs({ epoch, isAugmented, images }: InputSheet, names: Names): void {
  setText(
    byId('inputs-note'),
    isAugmented ? `As they are, and as epoch ${epoch} sees them` : 'The recipe does not change them',
  );
  fill(
    byId('inputs'),
    ...images.map(({ index, label, original, seen }) =>
      element(
        'figure',
        { class: 'pair' },
        element('img', { src: original, alt: `training image ${index}, ${nameOf(names, label)}` }),
        isAugmented && element('img', { src: seen, alt: 'as the network sees it' }),
        element('figcaption', {}, nameOf(names, label)),
      ),
    ),
  );
}

function showFilters({ layer, count: all, largest, images, ...moment }: FilterSheet): void {
  const shown = images.length < all ? `${images.length} of ${countOf(all, 'kernel')}` : countOf(all, 'kernel');
  setText(
    byId('filters-note'),
    `${shown} of layer ${layer}, after ${describeMoment(moment)}; full orange is ${rate(largest)}, full blue −${rate(largest)}`,
  );
  fill(byId('filters'), ...images.map((image, index) => element('img', { src: image, alt: `kernel ${index}` })));
}

function showJudgement(judgement: Judgement, names: Names): void {
  const { split, correct, total, confusion, mistakes } = judgement;
  const wrong = total - correct;
  setText(
    byId('confusion-note'),
    `${count(correct)} of ${formatCountOf(total, 'image')} of the ${split} set right after ${describeMoment(judgement)}`,
  );
  fill(byId('confusion'), scrollable('Confusion matrix', drawConfusion(confusion, names)));
  setText(
    byId('mistakes-note'),
    wrong === 0
      ? 'None'
      : `${mistakes.length < wrong ? `The ${mistakes.length} most confident of ${count(wrong)}` : `All ${wrong}`}: what it is → what it was taken for`,
  );
  fill(
    byId('mistakes'),
    ...mistakes.map(({ index, label, predicted, confidence, image }) =>
      element(
        'figure',
        {},
        element('img', { src: image, alt: `image ${index}` }),
        element(
          'figcaption',
          {},
          element('b', {}, `${nameOf(names, label)} → ${nameOf(names, predicted)}`),
          element('span', {}, percentOf(confidence)),
        ),
      ),
    ),
  );
}

function drawConfusion(confusion: Judgement['confusion'], names: Names): HTMLElement {
  const rows = confusion.map((row) => row.reduce((sum, value) => sum + value, 0));
  const columns = element(
    'tr',
    {},
    element('th', { scope: 'col' }, element('span', { class: 'corner' }, 'is \\ taken for')),
    ...confusion.map((_, label) => element('th', { scope: 'col', class: 'number' }, nameOf(names, label))),
  );
  const body = confusion.map((row, label) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, nameOf(names, label)),
      ...row.map((value, predicted) => drawCell(value, rows[label] ?? 0, label === predicted)),
    ),
  );
  return element('table', { class: 'confusion' }, element('thead', {}, columns), element('tbody', {}, ...body));
}

/** The deeper the colour, the larger the share of the row; of mistakes by its root, since they are few. */
function drawCell(value: number, total: number, isRight: boolean): HTMLElement {
  const cell = element(
    'td',
    { class: value === 0 ? 'number none' : isRight ? 'number right' : 'number wrong' },
    value === 0 ? '·' : value,
  );
  const share = total > 0 ? value / total : 0;
  cell.style.setProperty(
    '--share',
    `${Math.round(isRight ? 38 * share : value > 0 ? 14 + 60 * Math.sqrt(share) : 0)}%`,
  );
  return cell;
}

/** Everything of a chronicle that is a picture. */
export function showPictures(chronicle: Partial<Chronicle>, changed: ReadonlySet<keyof Chronicle>): void {
  const { inputs, filters, judgement, about } = chronicle;
  const names = about?.classNames ?? [];
  if (inputs && changed.has('inputs')) showInputs(inputs, names);
  if (filters && changed.has('filters')) showFilters(filters);
  if (judgement && changed.has('judgement')) showJudgement(judgement, names);
}
