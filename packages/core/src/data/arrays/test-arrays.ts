/** For tests: NumPy's array files and archives of them. */
import { zipSync } from 'fflate';
import { textOf } from '../../text/data-report-text.js';
import { type ArrayFile, type NpzOptions, readNpz } from './npz.js';

/** An .npy file of version 1. */
export function makeNpy(descr: string, shape: readonly number[], data: Uint8Array, order = 'False'): Uint8Array {
  const sides = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${sides}), }`;
  const header = new TextEncoder().encode(`${text.padEnd(118)}\n`.slice(-118 - 1));
  const magic = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8);
  return new Uint8Array(Buffer.concat([magic, header, data]));
}

export const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength).slice();

/** Arrays by their names. */
export type Arrays = Readonly<Record<string, Uint8Array>>;

/** @param level 0 as numpy.savez stores, 6 as numpy.savez_compressed packs */
export function makeNpz(arrays: Arrays, level: 0 | 6 = 0): Uint8Array {
  const members = Object.entries(arrays).map(([name, content]) => [`${name}.npy`, content] as const);
  return zipSync(Object.fromEntries(members), { level });
}

export const bytesArray = (shape: readonly number[], values: Iterable<number>): Uint8Array =>
  makeNpy('|u1', shape, Uint8Array.from(values));

/** `x.npz` with these arrays, as it is read. */
export const readArrays = (arrays: Arrays, options: NpzOptions = {}) =>
  readFiles([{ path: 'x.npz', bytes: makeNpz(arrays) }], options);

/** With the notes as texts. */
export function readFiles(files: readonly ArrayFile[], options: NpzOptions = {}) {
  const { notes = [], ...data } = readNpz(files, options);
  return { ...data, notes: notes.map(textOf) };
}
