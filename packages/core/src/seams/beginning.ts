/** How a run began and went on, as far as its model, recipe, data and seed do not say it. */
import { z } from 'zod';

export const beginningSchema = z.object({
  /** It began with the weights of a file instead of its seed's. */
  weights: z
    .object({
      /** Absolute. */
      path: z.string(),
      /** SHA-256 hex of the state that came of them, as of `hashParameters`. */
      sha256: z.string(),
      hasNewHead: z.boolean(),
    })
    .optional(),
  /** The first step that was done after another recipe, seed or dataset. */
  overriddenAt: z.int().min(0).optional(),
  /** Steps [firstStep, endStep) that hold sums of a node which was found lying later. */
  doubted: z
    .array(z.object({ node: z.string(), firstStep: z.int().min(0), endStep: z.int().min(0) }).readonly())
    .optional(),
  /** Steps with sums of other nodes that were not computed again, and between them. */
  unaudited: z
    .object({
      /** Whether --audit was given, in any of the processes: then the end of the run names them. */
      isAuditing: z.boolean(),
      steps: z
        .object({ firstStep: z.int().min(0), endStep: z.int().min(0) })
        .readonly()
        .optional(),
    })
    .readonly()
    .optional(),
});

export type Beginning = Readonly<z.output<typeof beginningSchema>>;
