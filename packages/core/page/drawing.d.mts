export interface Drawing {
  readonly height: number;
  readonly width: number;
  readonly pixels: Uint8Array;
}
export interface Form {
  readonly height: number;
  readonly width: number;
  readonly ink: number | null;
}
export function prepare(drawing: Drawing, form: Form): Uint8Array;
export function findInk(
  drawing: Drawing,
): { readonly top: number; readonly bottom: number; readonly left: number; readonly right: number } | undefined;
