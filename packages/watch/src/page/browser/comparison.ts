/** Several finished runs beside each other: their curves over one another, their results and recipes in tables. */
import { bestEpoch } from '@lockstep/core/text';
import type { Chronicle } from '../../chronicle/chronicle.js';
import { type Fact, flatten, readNow } from '../../chronicle/showing.js';
import { alignColumns, Chart, type Line } from './chart.js';
import { byId, element, fill, scrollable, table } from './dom.js';
import { count, loss, percent, rate } from './format.js';
import type { Run } from './runs.js';

/** Colours of style.css; more runs than these begin again, with other dashes. */
const COLORS = 8;
const DASHES = [undefined, [8, 4], [2, 3]];

type Epoch = Chronicle['epochs'][number];

export class Comparison {
  readonly #charts = [
    {
      chart: new Chart({
        id: 'compare-accuracy',
        format: (value) => percent(value),
        formatTick: (value) => `${Number((100 * value).toFixed(2))}%`,
        height: 300,
      }),
      read: ({ testAccuracy }: Epoch) => testAccuracy,
    },
    {
      chart: new Chart({ id: 'compare-loss', format: loss, formatTick: rate, height: 300 }),
      read: ({ testLoss }: Epoch) => testLoss,
    },
    {
      chart: new Chart({ id: 'compare-train', format: loss, formatTick: rate }),
      read: ({ trainLoss }: Epoch) => trainLoss,
    },
    { chart: new Chart({ id: 'compare-speed', format: count }), read: ({ imagesPerSecond }: Epoch) => imagesPerSecond },
  ];

  show(runs: readonly Run[]): void {
    for (const { chart, read } of this.#charts) {
      const lines = runs.map(({ name }, index): Line => {
        const dash = DASHES[Math.floor(index / COLORS) % DASHES.length];
        return { label: name, color: `run-${index % COLORS}`, points: 5, ...(dash && { dash }) };
      });
      const columns = runs.map(({ chronicle: { epochs = [] } }) => ({
        x: epochs.map(({ epoch }) => epoch),
        y: epochs.map(read),
      }));
      chart.show(lines, alignColumns(columns));
    }
    fill(byId('compare-results'), scrollable('Results', tabulateResults(runs)));
    fill(byId('compare-recipes'), scrollable('Recipes', tabulateRecipes(runs)));
  }

  restyle(): void {
    for (const { chart } of this.#charts) chart.restyle();
  }
}

function tabulateResults(runs: readonly Run[]): HTMLElement {
  const rows = runs.map(({ name, chronicle: { about, status, epochs = [] } }, index) => {
    const best = bestEpoch(epochs);
    const hash = status?.end?.parametersSha256;
    const { test, imagesPerSecond: speed } = readNow({ status, epochs });
    return [
      element('span', { class: `dot run-${index % COLORS}` }, name),
      about?.model ?? '–',
      about ? count(about.parameters) : '–',
      epochs.length,
      test ? percent(test.accuracy) : '–',
      best ? `${percent(best.testAccuracy)} (${best.epoch})` : '–',
      test ? loss(test.loss) : '–',
      speed !== undefined ? count(speed) : '–',
      hash ? element('code', { title: hash }, hash.slice(0, 12)) : '–',
    ];
  });
  return table(
    ['Run', 'Model', 'Parameters', 'Epochs', 'Test accuracy', 'Best (epoch)', 'Test loss', 'Images/s', 'SHA-256'],
    rows,
    'llrrrrrrl',
  );
}

/** A row per field; those in which the runs differ first, and marked. */
function tabulateRecipes(runs: readonly Run[]): HTMLElement {
  const columns = runs.map(({ chronicle: { about } }) => new Map(about ? describe(about) : []));
  const names = [...new Set(columns.flatMap((column) => [...column.keys()]))];
  const rows = names.map((name) => ({ name, values: columns.map((column) => column.get(name) ?? '–') }));
  const differs = ({ values }: { values: string[] }): boolean => new Set(values).size > 1;
  const sorted = [...rows.filter(differs), ...rows.filter((row) => !differs(row))];
  return table(
    ['Field', ...runs.map(({ name }) => name)],
    sorted.map((row) => [element('span', { class: differs(row) ? 'differs' : undefined }, row.name), ...row.values]),
  );
}

const describe = (about: NonNullable<Chronicle['about']>): Fact[] => [
  ['model', about.model],
  ['seed', String(about.seed)],
  ['workers', String(about.workers)],
  ['engine', about.engine],
  ['data', about.data],
  ...flatten(about.recipe),
];
