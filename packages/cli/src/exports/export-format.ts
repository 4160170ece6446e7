/** What `lockstep export` can write: one file of this folder per format, listed in formats.ts. */
import type { DataNotes } from '@lockstep/core/data';
import type { ModelState } from '@lockstep/core/run';
import type { ModelSpec } from '@lockstep/core/spec';

/** What an export is made from. */
export interface ExportSource {
  readonly model: ModelSpec;
  readonly state: ModelState;
  /** Normalization and class names of the data that the model was trained on. */
  readonly notes: DataNotes;
  /** The weights file, for texts. */
  readonly weights: string;
}

export interface ExportFormat {
  /** As given to --format. */
  readonly name: string;
  /** One line for --help. */
  readonly description: string;
  /** Appended to the weights' name when --out is not given: `.onnx`, `.html`, or `-tfjs` for a folder. */
  readonly suffix: string;
  /**
   * Writes the export to `path`, atomically where it is one file; resolves with what a person should know, one line each.
   *
   * @throws LockstepError when the model cannot be exported, or the path not written
   */
  write(source: ExportSource, path: string): Promise<readonly string[]>;
}
