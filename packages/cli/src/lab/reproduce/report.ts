/** The report of `lockstep reproduce`: Markdown for documents, the same as a page, and JSON for programs. */
import {
  countOf,
  escapeHtml,
  fixed,
  formatCount,
  formatDuration,
  formatPercent,
  formatRecipe,
} from '@lockstep/core/text';
import { formatOccasion, type Occasion } from '../bench/measure/machine.js';
import { resolveClaim } from './claims.js';
import type { ClaimResult, SeedResult } from './results.js';

/** `report.json`. */
export interface Report extends Occasion {
  readonly bench: 'reproduce';
  readonly workers: number;
  readonly data: string;
  readonly claims: readonly ClaimResult[];
}

/** A table: the first row is its headings; a column is aligned to the right where its heading starts with `>`. */
export interface Table {
  readonly rows: readonly (readonly string[])[];
}

const percent = (fraction: number): string => `${formatPercent(fraction)}%`;
const count = (value: number): string => formatCount(Math.round(value));
const joules = (value: number | undefined): string => (value === undefined ? 'not available' : `${count(value)} J`);
const nameOf = ({ claim }: ClaimResult): string => `${claim.model} (${claim.recipe})`;

/** Claim against result, one row a claim. */
export function tabulateClaims(results: readonly ClaimResult[]): Table {
  const headings = ['model (recipe)', 'claim', '>median of the best epochs', '>median at the end', 'reached'];
  return {
    rows: [
      headings,
      ...results.map((result) => [
        nameOf(result),
        result.claim.text,
        percent(result.medianBest),
        percent(result.medianFinal),
        describeReached(result),
      ]),
    ],
  };
}

function describeReached({ seeds, isReached }: ClaimResult): string {
  if (isReached === undefined) return 'curves';
  const reached = seeds.filter(({ reachedAt }) => reachedAt !== undefined).length;
  return `${isReached ? 'yes' : 'no'}: ${reached} of ${countOf(seeds.length, 'seed')}`;
}

/** Every seed of every claim. */
export function tabulateSeeds(results: readonly ClaimResult[]): Table {
  const headings = [
    'model (recipe)',
    '>seed',
    '>best',
    '>in epoch',
    '>claim reached in epoch',
    '>at the end',
    '>validation',
    '>loss of the last batch',
    'parameters SHA-256',
    'hash',
  ];
  return { rows: [headings, ...results.flatMap((result) => result.seeds.map((seed) => describeSeed(result, seed)))] };
}

const VERDICTS = { same: 'as recorded', other: 'NOT as recorded', new: 'not recorded' } as const;

const describeSeed = (result: ClaimResult, seed: SeedResult): string[] => [
  nameOf(result),
  String(seed.seed),
  percent(seed.best),
  String(seed.bestEpoch),
  seed.reachedAt === undefined ? '-' : String(seed.reachedAt),
  percent(seed.final),
  seed.validation === undefined ? '-' : percent(seed.validation),
  seed.lastLoss?.toPrecision(2) ?? '-',
  seed.parametersSha256,
  VERDICTS[seed.verdict],
];

/** What a run costs: medians over the seeds. */
function tabulateCosts(results: readonly ClaimResult[]): Table {
  const headings = [
    'model (recipe)',
    '>seconds',
    '>images/s',
    '>of peak',
    '>FLOP per image',
    '>core-seconds',
    '>energy',
  ];
  return {
    rows: [
      headings,
      ...results.map((result) => [
        nameOf(result),
        formatDuration(result.seconds),
        count(result.imagesPerSecond),
        `${fixed(100 * result.shareOfPeak, 0)}%`,
        count(result.flopsPerImage),
        count(result.coreSeconds),
        joules(result.joules),
      ]),
    ],
  };
}

const isRight = (heading: string): boolean => heading.startsWith('>');
const plain = (heading: string): string => heading.replace(/^>/, '');

/** A table of Markdown. */
export function formatMarkdownTable({ rows }: Table): string {
  const [headings = [], ...body] = rows;
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = line(headings.map((heading) => (isRight(heading) ? '---:' : '---')));
  return [line(headings.map(plain)), rule, ...body.map(line)].join('\n');
}

/** Lines for a terminal. */
export const describeResult = (result: ClaimResult): string =>
  `${nameOf(result)}: median ${percent(result.medianBest)} at best, ${percent(result.medianFinal)} at the end; ` +
  `${result.claim.text}: ${describeReached(result)}`;

/** @param curves pictures beside the report, as [title, file] */
export function formatMarkdown(report: Report, curves: readonly Curve[]): string {
  const recipes = report.claims.map(
    (result) => `- ${nameOf(result)}: ${formatRecipe(resolveClaim(result.claim).recipe)}`,
  );
  return [
    '# Claims, reproduced',
    describeReport(report),
    formatMarkdownTable(tabulateClaims(report.claims)),
    recipes.join('\n'),
    '## Every seed',
    formatMarkdownTable(tabulateSeeds(report.claims)),
    '## Cost',
    formatMarkdownTable(tabulateCosts(report.claims)),
    NOTES,
    ...(curves.length > 0 ? ['## Learning curves'] : []),
    ...curves.map(({ title, file }) => `![${title}](${file})`),
    '',
  ].join('\n\n');
}

export interface Curve {
  readonly title: string;
  /** Beside the report. */
  readonly file: string;
  readonly svg: string;
}

const NOTES =
  'Medians over the seeds. FLOP per image: forward and backward, counted in direct convolutions; of peak: images/s times ' +
  'that, over what the cores did in a burst of multiply-adds right before the run. Core-seconds are those of the whole ' +
  'process, evaluation among them; energy is that of the processor, by its own counters.';

const describeReport = (report: Report): string =>
  `${report.data}; ${countOf(report.workers, 'worker')}; ${formatOccasion(report)}.`;

/** The same as a page that needs nothing but itself. */
export function formatHtml(report: Report, curves: readonly Curve[]): string {
  const sections = [
    ['Claims', tabulateClaims(report.claims)],
    ['Every seed', tabulateSeeds(report.claims)],
    ['Cost', tabulateCosts(report.claims)],
  ] as const;
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><title>Claims, reproduced</title>',
    `<style>${STYLE}</style></head><body>`,
    '<h1>Claims, reproduced</h1>',
    `<p>${escapeHtml(describeReport(report))}</p>`,
    ...sections.map(([title, table]) => `<h2>${title}</h2>\n${formatHtmlTable(table)}`),
    `<p>${NOTES}</p>`,
    ...curves.map(({ title, svg }) => `<figure>${svg}<figcaption>${escapeHtml(title)}</figcaption></figure>`),
    '</body></html>',
    '',
  ].join('\n');
}

const STYLE =
  'body{font:15px/1.5 system-ui,sans-serif;margin:2rem}table{border-collapse:collapse}' +
  'th,td{border-bottom:1px solid #ccc;padding:.25rem .75rem;text-align:left;vertical-align:top}.right{text-align:right}';

function formatHtmlTable({ rows }: Table): string {
  const [headings = [], ...body] = rows;
  const cell = (tag: 'th' | 'td') => (text: string, column: number) =>
    `<${tag}${isRight(headings[column] as string) ? ' class="right"' : ''}>${escapeHtml(plain(text))}</${tag}>`;
  const row = (cells: readonly string[], tag: 'th' | 'td'): string => `<tr>${cells.map(cell(tag)).join('')}</tr>`;
  return ['<table>', row(headings, 'th'), ...body.map((cells) => row(cells, 'td')), '</table>'].join('\n');
}
