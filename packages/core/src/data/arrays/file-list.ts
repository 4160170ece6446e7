/** Which files the arrays of a dataset are in: an .npz archive, or one with images and one with labels, or a folder of them. */
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readArrayName } from './names.js';

/** A file to read, and what its name says of its arrays. */
export interface ArrayPlace {
  readonly path: string;
  /** Undefined where it is the only one. */
  readonly words?: string;
}

export const isArrayName = (name: string): boolean => /\.np[yz]$/i.test(name);

const stemOf = (name: string): string => basename(name).replace(/\.np[yz]$/i, '');

/** A file whose name says that it has images goes with the one beside it that is named alike, but for labels. */
export function findBeside(path: string): ArrayPlace[] {
  const own = readArrayName(stemOf(path));
  if (own.kind !== 'images') return [{ path }];
  const labels = readdirSync(dirname(path))
    .sort()
    .find((name) => {
      const other = readArrayName(stemOf(name));
      const isAlike = other.part === own.part && other.rest === own.rest;
      return isArrayName(name) && other.kind === 'labels' && isAlike;
    });
  if (labels === undefined) return [{ path }];
  // whatever part they are, they are the data here
  return [
    { path, words: 'images' },
    { path: join(dirname(path), labels), words: 'labels' },
  ];
}

/** All files with arrays in a folder; undefined where there are none. */
export function findInside(directory: string, names: readonly string[]): ArrayPlace[] | undefined {
  const files = names.filter(isArrayName);
  if (files.length === 0) return undefined;
  const paths = files.map((name) => join(directory, name));
  return paths.length === 1 ? [{ path: paths[0] as string }] : paths.map((path) => ({ path, words: stemOf(path) }));
}
