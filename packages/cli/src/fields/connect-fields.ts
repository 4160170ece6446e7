/** Fields of commands that call a coordinator: `worker` and `peers`. */
import { readFileSync } from 'node:fs';
import { LockstepError } from '@lockstep/core/errors';
import { fieldsIn, optionError } from './field.js';

const { text } = fieldsIn('Run');

export const connectField = text('--connect <url>', 'connect', 'the coordinator: ws://host:port, or wss://');

export const tokenFileField = text('--token-file <file>', 'tokenFile', "the run's secret", {
  defaultText: 'LOCKSTEP_TOKEN_FILE, else the text in LOCKSTEP_TOKEN',
});

export const tlsCaField = text(
  '--tls-ca <file>',
  'tlsCa',
  'certificate of the coordinator, or of its authority, in PEM',
);

/** @throws LockstepError LOCKSTEP_CLI_OPTION when it is missing, or no URL of a coordinator */
export function readConnect(url: string | undefined): string {
  if (url !== undefined && /^wss?:\/\/.+/.test(url)) return url;
  const given = url === undefined ? 'is missing' : JSON.stringify(url);
  throw optionError(`--connect ${given}: must be a URL such as ws://10.0.0.5:7400`);
}

/** @throws LockstepError LOCKSTEP_TLS when it cannot be read */
export function readTlsCa(path: string | undefined): Uint8Array | undefined {
  try {
    return path === undefined ? undefined : readFileSync(path);
  } catch (error) {
    const text = `cannot read --tls-ca ${path}: ${(error as Error).message}.`;
    throw new LockstepError('LOCKSTEP_TLS', text, { cause: error });
  }
}
