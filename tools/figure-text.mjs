/** Numbers and tables of Markdown, as the documents have them; of the built program, which these are measured with. */
import { countOf, fixed, formatCount } from '../packages/core/dist/text/index.js';

export { countOf, fixed };

export const rate = (value) => formatCount(Math.round(value));
export const percent = (fraction) => `${fixed(100 * fraction, 0)}%`;
export const exact = (fraction) => `${Number((100 * fraction).toFixed(2))}%`;
export const seconds = (value) => fixed(value, value < 100 ? 2 : 0);
export const spread = ({ median, min, max }) => `${rate(median)} (${rate(min)}-${rate(max)})`;

/** Columns that start with * are text, the others numbers. */
export function formatTable(headings, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const rule = line(headings.map((heading) => (heading.startsWith('*') ? '---' : '---:')));
  return [line(headings.map((heading) => heading.replace(/^\*/, ''))), rule, ...rows.map(line)].join('\n');
}
