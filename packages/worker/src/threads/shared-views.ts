/**
 * Views of shared memory on their way to a thread: as buffer, offset and length. Node hands a typed array over as it is;
 * Deno copies one in workerData element by element, before it finds that its memory is shared.
 */

const kinds = { Uint8Array, Int32Array, Uint32Array, Float32Array, Float64Array };
type Kind = keyof typeof kinds;
type ViewMaker = new (buffer: ArrayBufferLike, offset?: number, length?: number) => ArrayBufferView;

/** A view as it travels. */
interface Said {
  readonly view: Kind;
  readonly buffer: SharedArrayBuffer;
  readonly offset: number;
  readonly length: number;
}

/** What `sayViews` gives: for `openViews` alone. */
export interface SaidViews<T> {
  readonly said: unknown;
  /** Only for the types. */
  readonly of?: T;
}

/** `value` with every view of shared memory in it, however deep, as it travels. The rest is plain values, which stay. */
export const sayViews = <T>(value: T): SaidViews<T> => ({ said: mapDeep(value, say) });

/** The value again, over the same memory. */
export const openViews = <T>({ said }: SaidViews<T>): T => mapDeep(said, open) as T;

function say(value: object): unknown {
  const view = value.constructor.name as Kind;
  if (!(view in kinds) || !((value as Uint8Array).buffer instanceof SharedArrayBuffer)) return undefined;
  const { buffer, byteOffset: offset, length } = value as InstanceType<(typeof kinds)[Kind]>;
  return { view, buffer, offset, length };
}

function open(value: object): unknown {
  const { view, buffer, offset, length } = value as Partial<Said>;
  if (view === undefined || !(buffer instanceof SharedArrayBuffer)) return undefined;
  const makeView: ViewMaker = kinds[view];
  return new makeView(buffer, offset, length);
}

/** `change` for each object, or its fields one by one where that gives undefined. */
function mapDeep(value: unknown, change: (value: object) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const changed = change(value);
  if (changed !== undefined) return changed;
  if (Array.isArray(value)) return value.map((item) => mapDeep(item, change));
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapDeep(item, change)]));
}
