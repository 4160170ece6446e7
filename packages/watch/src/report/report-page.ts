/** report.html: all that a run was on one page that needs nothing else, for a reader with or without scripts. */

import type { DataReport } from '@lockstep/core/events';
import {
  countOf,
  escapeHtml,
  formatCount,
  formatDuration,
  formatLoss,
  listDataFacts,
  tabulateClasses,
} from '@lockstep/core/text';
import type { About, Chronicle, LogLine, Mistake } from '../chronicle/chronicle.js';
import {
  describeResult,
  type Fact,
  listFacts,
  nameOfPhase,
  percentOf,
  readNow,
  tabulateEpochs,
} from '../chronicle/showing.js';

/** Pictures that go into the page, as SVG. */
export interface ReportPictures {
  readonly curves: readonly string[];
  readonly confusion: string | undefined;
}

/** @param again the command that does the run again */
export function drawReport(chronicle: Chronicle, { curves, confusion }: ReportPictures, again?: string): string {
  const { about, status, epochs, log, judgement } = chronicle;
  const title = about === undefined ? 'A run' : `${about.model}, seed ${about.seed}`;
  const sections = [
    section('Result', drawResult(chronicle, again)),
    section('Learning curves', `<div class="curves">${curves.join('')}</div>`),
    section('Epochs', drawEpochs(epochs)),
    confusion && section('Confusion matrix', wide('Confusion matrix', confusion)),
    judgement && section('Mistakes', drawMistakes(judgement, about?.classNames ?? [])),
    about && section('Recipe', tabulate([...listFacts(about), ['begun', about.startedAt]])),
    about && section('Model', drawModel(about)),
    about?.report && section('Data', drawData(about.report)),
    section('Events', drawLog(log)),
  ];
  return PAGE.replace(/\{\{(\w+)\}\}/g, (_, name: string) =>
    name === 'title'
      ? escapeHtml(title)
      : name === 'phase'
        ? escapeHtml(nameOfPhase(status))
        : sections.filter(Boolean).join('\n'),
  );
}

const section = (title: string, content: string): string => `<section>\n<h2>${title}</h2>\n${content}\n</section>`;

/** Scrolls sideways where it does not fit, with keys as well. */
const wide = (label: string, content: string): string =>
  `<div class="wide" role="region" tabindex="0" aria-label="${label}">${content}</div>`;

const tabulate = (facts: readonly Fact[], codes: ReadonlySet<string> = new Set()): string =>
  `<dl>${facts
    .map(([name, value]) => {
      const text = escapeHtml(value);
      return `<dt>${escapeHtml(name)}</dt><dd>${codes.has(name) ? `<code>${text}</code>` : text}</dd>`;
    })
    .join('')}</dl>`;

const COMMAND = 'Begun with';
const AGAIN = 'The same run again';
const CODES = new Set(['Parameters SHA-256', COMMAND, AGAIN]);

/** What the terminal said at the end, and the tiles of the page. */
function drawResult(chronicle: Chronicle, again?: string): string {
  const { about, status } = chronicle;
  const result = describeResult(chronicle);
  const { trainLoss, trainAccuracy, test } = readNow(chronicle);
  const facts: Fact[] = [
    ...(result?.results ?? []),
    ...(test ? [['Test loss', formatLoss(test.loss)] as const] : []),
    ['Training loss', `${formatLoss(trainLoss)} in epoch ${status.epoch}`],
    ['Training accuracy', `${percentOf(trainAccuracy)} in epoch ${status.epoch}`],
    ...(about?.command === undefined ? [] : [[COMMAND, about.command] as const]),
    ...(again === undefined ? [] : [[AGAIN, again] as const]),
  ];
  return `<p><b>${escapeHtml(result?.ending ?? 'The run had no end.')}</b></p>${tabulate(facts, CODES)}`;
}

/** @param best row and column of a cell to be marked */
function drawTable(
  label: string,
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  { foot = [], best = [-1, -1] }: { foot?: readonly string[]; best?: readonly [row: number, column: number] } = {},
): string {
  const row = (cells: readonly string[], tag: string, marked = -1): string =>
    `<tr>${cells
      .map((cell, i) => `<${tag}>${i === marked ? `<b>${escapeHtml(cell)} best</b>` : escapeHtml(cell)}</${tag}>`)
      .join('')}</tr>`;
  const body = rows.map((cells, i) => row(cells, 'td', i === best[0] ? best[1] : -1)).join('');
  const footer = foot.length > 0 ? `<tfoot>${row(foot, 'td')}</tfoot>` : '';
  return wide(label, `<table><thead>${row(headings, 'th')}</thead><tbody>${body}</tbody>${footer}</table>`);
}

function drawEpochs(epochs: Chronicle['epochs']): string {
  if (epochs.length === 0) return '<p>None was completed.</p>';
  const { headings, rows, best, bestColumn } = tabulateEpochs(epochs);
  return drawTable('Epochs', headings, rows, { best: [best, bestColumn] });
}

function drawMistakes(
  { mistakes, correct, total }: NonNullable<Chronicle['judgement']>,
  names: readonly string[],
): string {
  if (mistakes.length === 0) return '<p>None.</p>';
  const nameOf = (label: number): string => names[label] ?? String(label);
  const draw = ({ index, label, predicted, confidence, image }: Mistake): string =>
    `<figure><img src="${escapeHtml(image)}" alt="image ${index}"><figcaption><b>${escapeHtml(`${nameOf(label)} → ${nameOf(predicted)}`)}</b> ${percentOf(confidence)} #${index}</figcaption></figure>`;
  const wrong = total - correct;
  const which = mistakes.length < wrong ? `The ${mistakes.length} most confident of ` : '';
  const note = `<p>${which}${countOf(wrong, 'mistake')} in ${countOf(total, 'image')}: what it is → what it was taken for, and how sure of it.</p>`;
  return `${note}<div class="gallery">${mistakes.map(draw).join('')}</div>`;
}

function drawModel({ layers, parameters, multAdds }: About): string {
  const rows = layers.map((layer) => [
    `${layer.name} ${layer.type}`,
    layer.outputShape.join(' × '),
    layer.window,
    layer.parameters > 0 ? formatCount(layer.parameters) : '',
    layer.multAdds > 0 ? formatCount(layer.multAdds) : '',
  ]);
  const foot = ['In all', '', '', formatCount(parameters), formatCount(multAdds)];
  return drawTable('Layers', ['Layer', 'Output', 'k/s/p', 'Parameters', 'Mult-adds'], rows, { foot });
}

function drawData(report: DataReport): string {
  const { headings, rows } = tabulateClasses(report);
  return `${tabulate(listDataFacts(report))}${drawTable('Classes', headings, rows)}`;
}

const drawLog = (log: readonly LogLine[]): string =>
  `<ol>${log.map(({ seconds, text }) => `<li><time>${formatDuration(seconds)}</time> ${escapeHtml(text)}</li>`).join('')}</ol>`;

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
svg { display: block; height: auto }
.curves { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 380px), 1fr)); gap: 16px }
.curves svg { width: 100% }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(84px, 1fr)); gap: 12px }
figure { margin: 0; font-size: 12px; text-align: center; color: var(--quiet); overflow-wrap: anywhere; font-variant-numeric: tabular-nums }
figure b { display: block; color: var(--text) }
img { display: block; width: 100%; image-rendering: pixelated }
:focus-visible { outline: 2px solid #3b82d6; outline-offset: 2px }
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
li { display: grid; grid-template-columns: 76px minmax(0, 1fr); gap: 12px; padding: 3px 0; overflow-wrap: anywhere }
li time { text-align: right }
@media (max-width: 640px) { body { padding: 16px 10px 40px } section { padding: 14px 14px 16px } dl { grid-template-columns: minmax(0, 1fr) } dd { margin-bottom: 6px } }
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
