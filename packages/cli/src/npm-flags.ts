/** `npm run train --steps 20`: without `--` before them npm keeps flags for itself, and the program never sees them. */
import { LockstepError } from '@lockstep/core/errors';
import type { Command } from 'commander';

/** Flags of ours that npm has too, so that they may come from somebody's .npmrc. */
const NPM_OWN = ['audit', 'cache', 'json', 'offline', 'save', 'help', 'version'];

/** Of those, the ones that change what a person gets: told, since a person rather than an .npmrc may have set them. */
const TOLD = ['json', 'offline'];

/**
 * @param argv of the program: the command, then what npm left
 * @param tell takes a note about flags that may have been meant for npm
 * @throws LockstepError LOCKSTEP_CLI_NPM with the line that does what was meant
 */
export function checkNpmFlags(
  program: Command,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  tell: (note: string) => void,
): void {
  const script = env['npm_lifecycle_event'];
  const command = program.commands.find((one) => one.name() === argv[0]);
  if (script === undefined || command === undefined) return;
  const names = command.options.map(({ long }) => (long ?? '').replace(/^--(no-)?/, ''));
  const needsValue = new Set(command.options.filter(({ required }) => required).map(({ long }) => long));
  const kept = names.flatMap((name) => {
    const value = NPM_OWN.includes(name) ? undefined : env[`npm_config_${name.replaceAll('-', '_')}`];
    if (value === undefined) return [];
    return value === '' ? [`--no-${name}`] : value === 'true' ? [`--${name}`] : [`--${name}`, value];
  });
  const told = TOLD.filter(
    (name) => names.includes(name) && env[`npm_config_${name}`] === 'true' && !argv.includes(`--${name}`),
  );
  if (kept.length === 0 && told.length === 0) return;
  const rest = script === argv[0] ? argv.slice(1) : argv;
  const flags = [...kept, ...told.map((name) => `--${name}`)];
  const line = `npm run ${script} -- ${[...flags, ...rest].join(' ')}`;
  const bare = kept.filter((word, index) => needsValue.has(word) && (kept[index + 1] ?? '--').startsWith('--'));
  if (kept.length === 0) {
    tell(`npm has ${flags.join(' and ')} for itself; if this program was meant: ${line}`);
    return;
  }
  // npm has cut them off their values: which is whose is clear only where there is one of each
  const isClear = bare.length === 0 || (bare.length === 1 && rest.length === 1);
  const remedy = isClear
    ? `Put -- before the flags: ${line}`
    : `Put -- before all that you gave it: npm run ${script} -- ${bare.map((flag) => `${flag} ...`).join(' ')}`;
  throw new LockstepError(
    'LOCKSTEP_CLI_NPM',
    `npm kept ${kept.join(' ')} for itself, so nothing was started. ${remedy}`,
  );
}
