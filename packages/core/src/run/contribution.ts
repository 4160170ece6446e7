/**
 * The layout of a contribution: what a shard adds to a step, as one float32 vector. The state (parameters and running
 * statistics) and every optimizer slot have the same layout, so that one offset names a thing in all of them.
 *
 *   layer 0: weight | bias | ...      layer 1: gamma | beta | statistics [3][channels]      ...      result [2]
 *
 * Regions follow the model's order, so that what backward finishes last stands first. Each starts at a multiple of 16.
 */
import type { Layer, ParameterSpec } from '../model/layers.js';

/** Floats of a unit: a region starts at a multiple of it, places in an arena are counted in it. 64 bytes, a cache line. */
export const ALIGNMENT = 16;

export interface ParameterRegion {
  readonly kind: 'parameter';
  readonly offset: number;
  /** Without padding. */
  readonly size: number;
  readonly parameter: ParameterSpec;
  readonly layerIndex: number;
}

/**
 * A batch norm's statistics. In a contribution, with d = shard mean - running mean of version t and n the values per
 * channel: [n d][n d^2][n variance], each [channels]; in the state: [running mean][running variance][unused].
 */
export interface StatisticsRegion {
  readonly kind: 'statistics';
  readonly offset: number;
  /** 3 * channels. */
  readonly size: number;
  readonly channels: number;
  /** Values per channel in one sample: height * width. */
  readonly valuesPerSample: number;
  readonly layerIndex: number;
}

/** [loss sum, correct count]. */
export interface ResultRegion {
  readonly kind: 'result';
  readonly offset: number;
  readonly size: 2;
}

export type Region = ParameterRegion | StatisticsRegion | ResultRegion;

export interface ContributionLayout {
  readonly regions: readonly Region[];
  /** Floats of a contribution, a multiple of 16. */
  readonly length: number;
  /** Offset of the result region. */
  readonly resultOffset: number;
}

/** Floats [begin, end) of a contribution; both are multiples of 16. */
export interface Span {
  readonly begin: number;
  readonly end: number;
}

/** The next multiple of `ALIGNMENT`. */
export const align = (floats: number): number => Math.ceil(floats / ALIGNMENT) * ALIGNMENT;

/** Lays out the contribution of a model. */
export function planContribution(layers: readonly Layer[]): ContributionLayout {
  const regions: Region[] = [];
  let offset = 0;
  const place = (region: Region): void => {
    regions.push(region);
    offset = align(offset + region.size);
  };
  for (const layer of layers) {
    for (const parameter of layer.parameters) {
      place({ kind: 'parameter', offset, size: parameter.size, parameter, layerIndex: layer.index });
    }
    if (layer.spec.type === 'batchNorm') {
      const { channels, height, width } = layer.input;
      place({
        kind: 'statistics',
        offset,
        size: 3 * channels,
        channels,
        valuesPerSample: height * width,
        layerIndex: layer.index,
      });
    }
  }
  const resultOffset = offset;
  place({ kind: 'result', offset, size: 2 });
  return { regions, length: offset, resultOffset };
}

/** Where the gradients stand, in spans as long as they get; between them are statistics and the result. */
export function listGradients({ regions }: ContributionLayout): Span[] {
  const spans: Span[] = [];
  for (const { kind, offset, size } of regions) {
    if (kind !== 'parameter') continue;
    const end = align(offset + size);
    const last = spans.at(-1);
    if (last?.end === offset) spans[spans.length - 1] = { begin: last.begin, end };
    else spans.push({ begin: offset, end });
  }
  return spans;
}

/** What a network has learned, each tensor a vector of its own: `modelParameters(layers)`, and the buffers in order of layers. */
export interface ModelState {
  readonly parameters: readonly Float32Array[];
  readonly buffers: readonly Float32Array[];
}

/** Writes a state in the layout of a contribution. */
export function packState(layout: ContributionLayout, state: ModelState, out: Float32Array): void {
  const parameters = state.parameters[Symbol.iterator]();
  const buffers = state.buffers[Symbol.iterator]();
  for (const region of layout.regions) {
    if (region.kind === 'parameter') out.set(parameters.next().value as Float32Array, region.offset);
    if (region.kind === 'statistics') {
      out.set(buffers.next().value as Float32Array, region.offset);
      out.set(buffers.next().value as Float32Array, region.offset + region.channels);
    }
  }
}

/** Copies the vectors of a state out of its packed form. */
export function unpackState(layout: ContributionLayout, packed: Float32Array): ModelState {
  const parameters: Float32Array[] = [];
  const buffers: Float32Array[] = [];
  const copy = (offset: number, size: number): Float32Array =>
    Float32Array.from(packed.subarray(offset, offset + size));
  for (const region of layout.regions) {
    if (region.kind === 'parameter') parameters.push(copy(region.offset, region.size));
    if (region.kind === 'statistics') {
      buffers.push(copy(region.offset, region.channels));
      buffers.push(copy(region.offset + region.channels, region.channels));
    }
  }
  return { parameters, buffers };
}
