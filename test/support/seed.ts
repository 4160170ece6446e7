/** LOCKSTEP_SEED; without it the one that a test usually has. For what is drawn without fast-check. */
export const seedOr = (usual: number): number => Number(process.env['LOCKSTEP_SEED'] ?? usual);
