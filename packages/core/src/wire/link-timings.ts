/** How long a link waits for its other end. */

export interface LinkTimings {
  /** Between two heartbeats. */
  readonly heartbeatMs: number;
  /** Without a sign of life for so long, the other end is given up. */
  readonly silenceMs: number;
}

/** Defaults, or what the environment says: tests use shorter ones. */
export const readLinkTimings = (env: Readonly<Record<string, string | undefined>>): LinkTimings => {
  const silenceMs = Number(env['LOCKSTEP_SILENCE_MS'] ?? 10_000);
  return { heartbeatMs: Math.max(20, silenceMs / 8), silenceMs };
};
