/** A run that is to be run again, by `--config` with its run.json: as it was, unless flags ask for something else. */
import type { RunAgain } from '@lockstep/watch/files';
import { findSource, type SettingSource } from './setting-source.js';

export interface AgainSettings extends RunAgain {
  /** Its run.json, as it was named. */
  readonly path: string;
  /** Whether other data is asked for, or the same data in another form. */
  readonly hasOtherData: boolean;
  /** Whether other weights are asked for to begin with. */
  readonly hasOtherWeights: boolean;
}

const DATA_FIELDS = ['data', 'validation', 'resize', 'labelColumn', 'csvShape', 'csvLayout'];

export function resolveAgain(sources: readonly SettingSource[]): AgainSettings | undefined {
  const source = sources.find(({ again }) => again !== undefined);
  if (source?.again === undefined) return undefined;
  const isAsked = (name: string): boolean => ![undefined, source].includes(findSource(sources, [name]));
  const hasOtherWeights = isAsked('weights');
  return { ...source.again, hasOtherData: DATA_FIELDS.some(isAsked), hasOtherWeights };
}

/** One that goes on from a checkpoint does not begin with weights: the file's are left out. */
export const leaveBeginning = (sources: readonly SettingSource[]): readonly SettingSource[] =>
  findSource(sources, ['resume']) === undefined
    ? sources
    : sources.map((source) => {
        const { weights: _, replaceHead: __, ...values } = source.values;
        return source.again === undefined ? source : { ...source, values };
      });

/** What a person should know about running it again. */
export function noteAgain({ path, dataset, beginning }: AgainSettings): string[] {
  const { overriddenAt } = beginning;
  const lines: string[] = [];
  if (dataset.origin === undefined) {
    lines.push(
      `${path} is of an earlier release: it says neither where the data lay, nor what ended the run early (--steps and the like), nor what weights it began with`,
    );
  }
  if (overriddenAt !== undefined) {
    lines.push(
      `the run of ${path} had another recipe, seed or dataset up to step ${overriddenAt} (--override): from the start under these, the result is another`,
    );
  }
  return lines;
}
