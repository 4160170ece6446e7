/** A source: its path from the repository root (`packages/core/src/math/random.ts`) and its text. */
export interface Source {
  readonly file: string;
  readonly text: string;
}

export const ORDER: readonly (readonly [string, readonly string[]])[];
export function readSources(root?: string): Source[];
export function readImports(text: string): string[];
export function stripComments(text: string): string;
export function resolveRelative(file: string, specifier: string): string;
export function roomOf(file: string): string;
export function roomOfImport(file: string, specifier: string): string | undefined;
export function isTest(file: string): boolean;
export const MOST_SOURCES: number;
export function findHeaps(sources: readonly Source[]): string[];
export function mapRooms(sources: readonly Source[]): Map<string, Set<string>>;
export function drawRooms(sources: readonly Source[], order: readonly (readonly [string, readonly string[]])[]): string;
export function putRooms(document: string, table: string): string;
