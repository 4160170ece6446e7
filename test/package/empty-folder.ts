/** A folder with nothing but the tarball, as a user has it, and what a run in it must give. */

/** tiny6k on the sample that comes along: the hash is that of the clone, on any machine. */
export const TWENTY_STEPS = {
  command: ['train', '--steps', '20', '--offline'],
  sha256: 'c39bfa20b9c599c14325afe8440e84a272229b830e84f01aa4c9a7d3dc923320',
} as const;

/** The hash that a run says at its end. */
export const hashOf = (output: string): string | undefined => /Parameters SHA-256: ([0-9a-f]{64})/.exec(output)?.[1];
