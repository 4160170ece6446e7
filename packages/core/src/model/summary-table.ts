/** A summary as text, in Lockstep's own layout or in those of two PyTorch packages. */

import type { ModelSpec } from '../spec/model-spec.js';
import { formatCount } from '../text/count-text.js';
import { fixed } from '../text/number-text.js';
import { type SummaryRow, type SummaryTotals, summarize, summarizeTotals } from './summary.js';

export interface SummaryOptions {
  /**
   * `lockstep` (default): modules numbered as torchsummary does, functional layers listed without a number, and three
   * more columns. `torchsummary`: the table of sksq96/pytorch-summary. `torch-summary`: the tree of TylerYep/torch-summary
   * 1.4, except that multiply-adds are counted once (it adds every weight again for each container).
   */
  readonly layout?: 'lockstep' | 'torchsummary' | 'torch-summary';
}

/**
 * The summary of a model as lines of text, without a newline at the end.
 *
 * @throws LockstepError LOCKSTEP_MODEL_SHAPE when a layer does not fit its input
 */
export function formatSummary(model: ModelSpec, { layout = 'lockstep' }: SummaryOptions = {}): string {
  const rows = summarize(model);
  const totals = summarizeTotals(model);
  switch (layout) {
    case 'lockstep':
      return formatLockstep(rows, totals).join('\n');
    case 'torchsummary':
      return formatTorchsummary(rows, totals).join('\n');
    case 'torch-summary':
      return formatTree(rows, totals).join('\n');
  }
}

const formatShape = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/** `Conv2d-1`: modules are numbered through, functional layers are not modules. */
function labelRows(rows: readonly SummaryRow[]): string[] {
  let number = 0;
  return rows.map((row) => (row.functional ? row.type : `${row.type}-${++number}`));
}

function formatLockstep(rows: readonly SummaryRow[], totals: SummaryTotals): string[] {
  const line = (label: string, shape: string, parameters: string, window: string, multAdds: string, field: string) =>
    `${label.padStart(20)}  ${shape.padStart(20)} ${parameters.padStart(12)} ${window.padStart(8)} ${multAdds.padStart(13)} ${field.padStart(6)}`;
  const labels = labelRows(rows);
  const header = line('Layer (type)', 'Output Shape', 'Param #', 'k/s/p', 'Mult-adds', 'Field');
  const body = rows.map((row, index) => {
    const window = row.window === undefined ? '' : `${row.window.kernel}/${row.window.stride}/${row.window.padding}`;
    const multAdds = row.multAdds === 0 ? '' : formatCount(row.multAdds);
    const shape = formatShape(row.outputShape);
    return line(labels[index] ?? '', shape, formatCount(row.parameters), window, multAdds, String(row.receptiveField));
  });
  const width = header.length;
  return [
    '-'.repeat(width),
    header,
    '='.repeat(width),
    ...body,
    '='.repeat(width),
    ...formatCounts(totals),
    formatMultAdds(totals),
    '-'.repeat(width),
    ...formatSizes(totals),
    `Receptive field (pixels): ${totals.receptiveField}`,
    '-'.repeat(width),
    'k/s/p: kernel, stride, padding. Mult-adds and sizes are for one image.',
  ];
}

function formatTorchsummary(rows: readonly SummaryRow[], totals: SummaryTotals): string[] {
  const line = (label: string, shape: string, parameters: string): string =>
    `${label.padStart(20)}  ${shape.padStart(25)} ${parameters.padStart(15)}`;
  const labels = labelRows(rows);
  const body = rows.flatMap((row, index) =>
    row.functional ? [] : [line(labels[index] ?? '', formatShape(row.outputShape), formatCount(row.parameters))],
  );
  const rule = '-'.repeat(64);
  const doubleRule = '='.repeat(64);
  return [
    rule,
    line('Layer (type)', 'Output Shape', 'Param #'),
    doubleRule,
    ...body,
    doubleRule,
    ...formatCounts(totals),
    rule,
    ...formatSizes(totals),
    rule,
  ];
}

const formatCounts = (totals: SummaryTotals): string[] => [
  `Total params: ${formatCount(totals.parameters)}`,
  `Trainable params: ${formatCount(totals.trainable)}`,
  `Non-trainable params: ${formatCount(totals.nonTrainable)}`,
];

const formatMultAdds = (totals: SummaryTotals): string => `Total mult-adds (M): ${fixed(totals.multAdds / 1e6, 2)}`;

const formatSizes = (totals: SummaryTotals): string[] => [
  `Input size (MB): ${fixed(totals.inputMegabytes, 2)}`,
  `Forward/backward pass size (MB): ${fixed(totals.passMegabytes, 2)}`,
  `Params size (MB): ${fixed(totals.parametersMegabytes, 2)}`,
  `Estimated Total Size (MB): ${fixed(totals.totalMegabytes, 2)}`,
];

/** A module of the tree: a container with modules inside, or a layer. */
interface TreeNode {
  readonly label: string;
  readonly depth: number;
  /** Of a container: its last layer's. */
  outputShape: readonly number[];
  readonly parameters: string;
}

function formatTree(rows: readonly SummaryRow[], totals: SummaryTotals): string[] {
  const line = (label: string, shape: string, parameters: string): string =>
    `${label.padEnd(40)} ${shape.padEnd(25)} ${parameters}`.trimEnd();
  const body = buildTree(rows).map((node) => {
    const branch = node.depth === 1 ? '├─' : `${'|    '.repeat(node.depth - 1)}└─`;
    return line(branch + node.label, formatShape(node.outputShape), node.parameters);
  });
  const rule = '='.repeat(90);
  return [
    rule,
    line('Layer (type:depth-idx)', 'Output Shape', 'Param #'),
    rule,
    ...body,
    rule,
    ...formatCounts(totals),
    formatMultAdds(totals),
    rule,
    ...formatSizes(totals),
    rule,
  ];
}

/** Names with dots are paths of nested nn.Sequential; a node's index counts through all the nodes of its depth. */
function buildTree(rows: readonly SummaryRow[]): TreeNode[] {
  const nodes: TreeNode[] = [];
  const counts: number[] = [];
  const add = (type: string, depth: number, row: SummaryRow, parameters: string): TreeNode => {
    counts[depth] = (counts[depth] ?? 0) + 1;
    const node = { label: `${type}: ${depth}-${counts[depth]}`, depth, outputShape: row.outputShape, parameters };
    nodes.push(node);
    return node;
  };
  let open: { readonly name: string; readonly node: TreeNode }[] = [];
  for (const row of rows.filter((row) => !row.functional)) {
    const path = row.name.split('.').slice(0, -1);
    const shared = open.findIndex((container, depth) => container.name !== path[depth]);
    open = open.slice(0, shared < 0 ? Math.min(open.length, path.length) : shared);
    for (const name of path.slice(open.length)) {
      open.push({ name, node: add('Sequential', open.length + 1, row, '--') });
    }
    for (const { node } of open) node.outputShape = row.outputShape;
    add(row.type, path.length + 1, row, row.parameters === 0 ? '--' : String(row.parameters));
  }
  return nodes;
}
