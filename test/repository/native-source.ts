/** Reads what the C++ sources of the kernels declare. */

/**
 * The names of an enum in camel case, with their numbers: those written there, else one more than the last.
 *
 * @param prefix that its names have and ours have not
 */
export function parseEnum(source: string, name: string, prefix = ''): Record<string, number> {
  const body = new RegExp(`\\benum ${name}\\b[^{]*\\{([^}]*)\\}`).exec(source)?.[1];
  if (body === undefined) throw new Error(`there is no enum ${name} in packages/kernels/native`);
  let next = 0;
  const entries = body
    .replaceAll(/\/\/.*/g, '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part): [string, number] => {
      const [word = '', value] = part.split(/\s*=\s*/);
      next = value === undefined ? next : Number(value);
      return [toCamelCase(word.startsWith(prefix) ? word.slice(prefix.length) : word), next++];
    });
  return Object.fromEntries(entries);
}

const toCamelCase = (word: string): string =>
  word.toLowerCase().replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
