export interface PageModel {
  readonly input: { readonly channels: number; readonly height: number; readonly width: number };
  readonly layers: readonly { readonly type: string }[];
  readonly mean: readonly number[];
  readonly std: readonly number[];
}
export function computeLogits(model: PageModel, weights: Float32Array, pixels: ArrayLike<number>): Float32Array;
export function softmax(logits: ArrayLike<number>): number[];
