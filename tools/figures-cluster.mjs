/** Tables of what several nodes do, measured and predicted. */
import { countOf, fixed, formatTable, percent, rate } from './figure-text.mjs';

const linkOf = (megabits) => (megabits >= 1000 ? `${megabits / 1000} Gbit/s` : `${megabits} Mbit/s`);

function describeLink(megabits, delayMs) {
  if (delayMs !== undefined) return `${delayMs} ms one way`;
  return megabits === undefined ? 'no cap' : linkOf(megabits);
}

const signed = (share) => `${share < 0 ? '' : '+'}${percent(share)}`;

export function formatPredictions({ rows }) {
  const ms = (value) => fixed(value, value < 100 ? 2 : 0);
  return formatTable(
    ['*model', 'nodes', '*topology', '*link', 'slices', 'predicted, ms', 'measured, ms', 'error'],
    rows.map(({ model, nodes, topology, megabits, delayMs, slices, predictedStepMs, measuredStepMs, error }) => [
      model,
      nodes,
      nodes === 1 ? '' : topology,
      nodes === 1 ? '' : describeLink(megabits, delayMs),
      slices,
      ms(predictedStepMs),
      ms(measuredStepMs),
      `${signed(error.median)} (${signed(error.min)} to ${signed(error.max)})`,
    ]),
  );
}

/** Efficiency, a row for each model, link and topology and a column for each number of nodes. */
export function formatSimulation({ cases }) {
  const counts = [...new Set(cases.map(({ nodes }) => nodes))];
  const keyOf = ({ model, bitsPerSecond, topology }) => JSON.stringify([model, bitsPerSecond, topology]);
  const rows = [...new Set(cases.map(keyOf))].map((key) => {
    const [model, bitsPerSecond, topology] = JSON.parse(key);
    const cells = counts.map((nodes) => {
      const found = cases.find((one) => keyOf(one) === key && one.nodes === nodes);
      return `${percent(found.efficiency)}, ${fixed(1000 * found.step, found.step < 0.1 ? 1 : 0)} ms`;
    });
    return [model, linkOf(bitsPerSecond / 1e6), topology, ...cells];
  });
  return formatTable(['*model', '*link', '*topology', ...counts.map((nodes) => countOf(nodes, 'node'))], rows);
}

export function formatCluster({ rows }) {
  const ms = (value) => fixed(value, value < 100 ? 1 : 0);
  return formatTable(
    [
      '*model',
      '*topology',
      '*link',
      'one node of 2, images/s',
      'two nodes of 1',
      'of it',
      'step, ms',
      'computing',
      'exchange',
      'of it beside computing',
      'MB each way, least',
      'sent',
      "exchange of the link's bound",
    ],
    rows.map((row) => [
      row.model,
      row.topology,
      describeLink(row.megabits),
      rate(row.aloneImagesPerSecond),
      rate(row.imagesPerSecond),
      `${percent(row.ofAlone.median)} (${percent(row.ofAlone.min)}-${percent(row.ofAlone.max)})`,
      ms(row.stepMs),
      ms(row.computeMs),
      ms(row.exchangeMs),
      percent(Math.min(1, row.overlap)),
      fixed(row.boundBytes / 1e6, 2),
      row.linkBytes === undefined ? '' : fixed(row.linkBytes / 1e6, 2),
      row.exchangeShare === undefined ? '' : percent(row.exchangeShare),
    ]),
  );
}
