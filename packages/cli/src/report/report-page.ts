/** report.html: all that a run was on one page that needs nothing else, for a reader with or without scripts. */

import type { About, Chronicle, LogLine } from '@lockstep/coordinator/page';
import { formatDuration, formatPercent } from '@lockstep/core';
import { formatRecipe } from '../recipe-text.js';
import { escapeText } from './svg.js';

/** Pictures that go into the page, as SVG. */
export interface ReportPictures {
  readonly curves: string;
  readonly confusion: string | undefined;
  readonly mistakes: string | undefined;
}

export function drawReport(chronicle: Chronicle, { curves, confusion, mistakes }: ReportPictures): string {
  const { about, status, epochs, log } = chronicle;
  const title = about === undefined ? 'A run' : `${about.model}, seed ${about.seed}`;
  const sections = [
    section('Result', tabulate(describeResult(chronicle))),
    section('Learning curves', `<div class="wide">${curves}</div>`),
    section('Epochs', drawEpochs(epochs)),
    confusion && section('Confusion matrix', `<div class="wide">${confusion}</div>`),
    mistakes && section('Mistakes', `<div class="wide">${mistakes}</div>`),
    about && section('Recipe', `<p>${escapeText(formatRecipe(about.recipe))}</p>${tabulate(describeRun(about))}`),
    about && section('Model', drawModel(about)),
    section('Events', drawLog(log)),
  ];
  return PAGE.replace(/\{\{(\w+)\}\}/g, (_, name: string) =>
    name === 'title'
      ? escapeText(title)
      : name === 'phase'
        ? escapeText(status.phase)
        : sections.filter(Boolean).join('\n'),
  );
}

const section = (title: string, content: string): string => `<section>\n<h2>${title}</h2>\n${content}\n</section>`;

const withCommas = (count: number): string => Math.round(count).toLocaleString('en-US');
const percent = (fraction: number): string => `${formatPercent(fraction)}%`;

/** Name and HTML of each value. */
type Facts = readonly (readonly [string, string])[];

const tabulate = (facts: Facts): string =>
  `<dl>${facts.map(([name, html]) => `<dt>${escapeText(name)}</dt><dd>${html}</dd>`).join('')}</dl>`;

function describeResult({ about, status, epochs }: Chronicle): Facts {
  const { end, failure } = status;
  const best = epochs.reduce((most, { testAccuracy }) => Math.max(most, testAccuracy), 0);
  return [
    ...(failure === undefined ? [] : [['failed', escapeText(failure)] as const]),
    ...(end
      ? ([
          [
            'test set',
            `<b>${percent(end.test.accuracy)}</b>, ${end.test.correct} of ${end.test.total}, loss ${end.test.loss.toFixed(4)}`,
          ],
          ['ended', escapeText(end.reason)],
          ['parameters, SHA-256', `<code>${end.parametersSha256}</code>`],
        ] as const)
      : []),
    ...(epochs.length > 0 ? ([['best epoch', percent(best)]] as const) : []),
    ['steps', withCommas(status.committed)],
    ['time', formatDuration(status.seconds)],
    ...(about?.command === undefined
      ? []
      : ([['the same run again', `<code>${escapeText(about.command)}</code>`]] as const)),
  ];
}

const describeRun = (about: About): Facts => [
  ['data', escapeText(about.data)],
  [
    'images',
    `${withCommas(about.trainSamples)} training, ${withCommas(about.validationSamples)} validation, ${withCommas(about.testSamples)} test`,
  ],
  ['seed', String(about.seed)],
  ['engine', escapeText(`${about.engine}, ${about.workers} workers`)],
  ['begun', escapeText(about.startedAt)],
  ['recipe', `<code>${escapeText(JSON.stringify(about.recipe))}</code>`],
];

function drawTable(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  foot: readonly string[] = [],
): string {
  const row = (cells: readonly (string | number)[], tag: string): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeText(String(cell))}</${tag}>`).join('')}</tr>`;
  const footer = foot.length > 0 ? `<tfoot>${row(foot, 'td')}</tfoot>` : '';
  return `<div class="wide"><table><thead>${row(head, 'th')}</thead><tbody>${rows.map((cells) => row(cells, 'td')).join('')}</tbody>${footer}</table></div>`;
}

function drawEpochs(epochs: Chronicle['epochs']): string {
  if (epochs.length === 0) return '<p>None was completed.</p>';
  const rows = epochs.map((epoch) => [
    epoch.epoch,
    Number(epoch.learningRate.toPrecision(4)),
    epoch.trainLoss.toFixed(4),
    percent(epoch.trainAccuracy),
    epoch.validation ? percent(epoch.validation.accuracy) : '–',
    epoch.testLoss.toFixed(4),
    percent(epoch.testAccuracy),
    withCommas(epoch.imagesPerSecond),
    formatDuration(epoch.seconds),
  ]);
  return drawTable(
    ['Epoch', 'Rate', 'Train loss', 'Train', 'Validation', 'Test loss', 'Test', 'Images/s', 'Time'],
    rows,
  );
}

function drawModel({ layers, parameters, multAdds }: About): string {
  const rows = layers.map((layer) => [
    `${layer.name} ${layer.type}`,
    layer.outputShape.join(' × '),
    layer.window,
    layer.parameters > 0 ? withCommas(layer.parameters) : '',
    layer.multAdds > 0 ? withCommas(layer.multAdds) : '',
  ]);
  const foot = ['In all', '', '', withCommas(parameters), withCommas(multAdds)];
  return drawTable(['Layer', 'Output', 'k/s/p', 'Parameters', 'Mult-adds'], rows, foot);
}

const drawLog = (log: readonly LogLine[]): string =>
  `<ol>${log.map(({ seconds, text }) => `<li><time>${formatDuration(seconds)}</time> ${escapeText(text)}</li>`).join('')}</ol>`;

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>{{title}} · Lockstep</title>
<style>
:root { color-scheme: light dark; --page: #f4f5f7; --card: #fff; --text: #17181c; --quiet: #5b5f69; --rule: #dcdfe5 }
@media (prefers-color-scheme: dark) { :root { --page: #0f1114; --card: #181b20; --text: #eef0f4; --quiet: #a3a9b5; --rule: #2c313a } }
* { box-sizing: border-box }
body { margin: 0; padding: 28px 16px 56px; background: var(--page); color: var(--text); font: 14px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }
main { display: grid; grid-template-columns: minmax(0, 1fr); gap: 16px; max-width: 1080px; margin: 0 auto }
h1 { margin: 0; font-size: 24px; letter-spacing: -0.015em }
h2 { margin: 0 0 10px; font-size: 15px }
header p { margin: 2px 0 0; color: var(--quiet) }
section { padding: 16px 20px 20px; border: 1px solid var(--rule); border-radius: 12px; background: var(--card) }
p { margin: 0 0 12px }
.wide { overflow-x: auto }
svg { display: block; max-width: 100%; height: auto }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 4px 20px; margin: 0; font-variant-numeric: tabular-nums }
dt, time { color: var(--quiet) }
dd { margin: 0; overflow-wrap: anywhere }
code { font: 12.5px/1.5 ui-monospace, Menlo, Consolas, monospace }
table { width: 100%; border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums }
th { color: var(--quiet); font-weight: 550 }
th, td { padding: 5px 12px 5px 0; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--rule) }
th:first-child, td:first-child { text-align: left }
tfoot td { font-weight: 600; border-bottom: 0 }
ol { margin: 0; padding: 0; list-style: none; font-size: 13px; font-variant-numeric: tabular-nums }
li { display: grid; grid-template-columns: 64px minmax(0, 1fr); gap: 12px; padding: 3px 0; overflow-wrap: anywhere }
li time { text-align: right }
@media (max-width: 640px) { dl { grid-template-columns: minmax(0, 1fr) } dd { margin-bottom: 6px } }
</style>
</head>
<body>
<main>
<header><h1>{{title}}</h1><p>A run of Lockstep: {{phase}}</p></header>
{{sections}}
</main>
</body>
</html>
`;
