/** Fields of a run that have no meaning without another one, or beside it. */

type Get = (name: string) => unknown;

/**
 * @param get a field's value, undefined when it is not given
 * @param nameOf how a person writes a field
 * @returns what is wrong: `--resume goes on with the weights of the checkpoint; leave --weights out`
 */
export function findConflict(get: Get, nameOf: (name: string) => string): string | undefined {
  const has = (name: string): boolean => get(name) !== undefined;
  const needs = (name: string, other: string): string => `${nameOf(name)} needs ${nameOf(other)} as well`;
  if (has('resume') && has('weights')) {
    return `${nameOf('resume')} goes on with the weights of the checkpoint; leave ${nameOf('weights')} out`;
  }
  if (has('resume') && has('recipeName')) {
    return `${nameOf('resume')} goes on with the recipe of the checkpoint; leave ${nameOf('recipeName')} out`;
  }
  if (get('continue') === true && (typeof get('checkpoint') !== 'string' || has('resume'))) {
    return `${needs('continue', 'checkpoint')}, and is there instead of ${nameOf('resume')}`;
  }
  if (get('override') === true && !has('resume')) return needs('override', 'resume');
  for (const name of ['until', 'patience', 'best']) {
    if (get('evaluate') !== 'end' || !has(name)) continue;
    return `${nameOf('evaluate')} end leaves nothing to judge epochs by; leave ${nameOf(name)} out`;
  }
  if (has('replaceHead') && !has('weights')) return needs('replaceHead', 'weights');
  if (has('checkpoint') || has('resume')) return undefined;
  for (const name of ['every', 'keep']) if (has(name)) return needs(name, 'checkpoint');
  return undefined;
}
