/** Who sets the fields of a run: flags before config file, each able to say where it set what. */
import { describeSetting } from '@lockstep/core/errors';
import { isRecord } from '@lockstep/core/files';
import type { RunAgain } from '@lockstep/watch/files';
import { type Field, flagName, optionError, optionKey, quote, readFlagText } from '../fields/field.js';
import type { ConfigFile } from './config-file.js';

type Path = readonly PropertyKey[];

export interface SettingSource {
  /** Nested as the fields' paths say. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Of the run.json at that path. */
  readonly again?: (RunAgain & { readonly path: string }) | undefined;
  /** The place and the value, for the start of an error: `--momentum 1.5`, `run.yaml:7: recipe.momentum 1.5`. */
  describe(path: Path): string;
  /** Where a config file sets it: `run.yaml:7`. */
  locate?(path: Path): string;
  /** What a person writes to set a field here: `--gamma`, `gamma`. */
  nameOf(path: Path): string;
}

/**
 * The flags that were given, read by their fields.
 *
 * @param options commander's: text by key, true or false for switches
 * @throws LockstepError LOCKSTEP_CLI_OPTION when a number is expected and the text is none
 */
export function readFlags(fields: readonly Field[], options: Readonly<Record<string, unknown>>): SettingSource {
  const values: Record<string, unknown> = {};
  const given: { field: Field; text: string }[] = [];
  for (const field of fields) {
    const value = options[optionKey(field)];
    const option = value === true && field.alone !== undefined ? field.alone : value;
    if (option === undefined || (typeof option === 'boolean') !== (field.kind === 'switch')) continue;
    if (option !== !flagName(field).startsWith('--no-') && field.kind === 'switch') continue;
    given.push({ field, text: typeof option === 'string' ? `${flagName(field)} ${quote(option)}` : flagName(field) });
    setPath(values, field.path, typeof option === 'string' ? readFlagText(field, option) : option);
  }
  const findField = (path: Path, among: readonly Field[]): Field | undefined =>
    among.find((field) => field.path.every((name, index) => name === path[index]));
  return {
    values,
    describe: (path) => given.find((entry) => findField(path, [entry.field]))?.text ?? path.join('.'),
    nameOf: (path) => flagName(findField(path, fields) ?? { flags: path.join('.') }),
  };
}

/**
 * The flags that were given, each checked by its field.
 *
 * @throws LockstepError LOCKSTEP_CLI_OPTION for a value that a field does not allow
 */
export function readChecked(fields: readonly Field[], options: Readonly<Record<string, unknown>>): SettingSource {
  const flags = readFlags(fields, options);
  for (const { path, check } of fields) {
    const value = getPath(flags.values, path);
    const allowed = value === undefined ? undefined : check?.(value);
    if (allowed !== undefined) throw optionError(`${flags.describe(path)}: ${allowed}`);
  }
  return flags;
}

/**
 * The config file that is named, if one is.
 *
 * @throws LockstepError LOCKSTEP_CONFIG
 */
export async function readConfig(path: unknown): Promise<SettingSource[]> {
  if (typeof path !== 'string') return [];
  // Loaded here, since YAML takes long to load and few runs have a file.
  const { readConfigFile } = await import('./config-file.js');
  return [configSource(readConfigFile(path))];
}

function configSource(file: ConfigFile): SettingSource {
  return {
    values: file.values,
    again: file.again && { ...file.again, path: file.path },
    locate: file.locate,
    describe: (path) => {
      return `${file.locate(path)}: ${describeSetting(path, getPath(file.values, path))}`;
    },
    nameOf: (path) => String(path.at(-1)),
  };
}

/** The value at a path, undefined where there is none. */
export function getPath(values: unknown, path: Path): unknown {
  let value = values;
  for (const name of path) value = isRecord(value) || Array.isArray(value) ? (value as never)[name] : undefined;
  return value;
}

/** The first source that sets a field. */
export const findSource = (sources: readonly SettingSource[], path: Path): SettingSource | undefined =>
  sources.find((source) => getPath(source.values, path) !== undefined);

function setPath(values: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let target = values;
  for (const name of path.slice(0, -1)) {
    target[name] ??= {};
    target = target[name] as Record<string, unknown>;
  }
  target[path.at(-1) as string] = value;
}
