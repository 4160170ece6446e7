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

/** The words that the parser reads before the first record, by the names that it gives them, in their order. */
export function parseHeader(source: string): string[] {
  const [text = ''] = source.slice(source.indexOf('Program* Program::parse(')).split('(Record)header.next()');
  return [...text.matchAll(/(\w+?)_?\s*=\s*(?:\([\w ]+\)\s*)?header\.next\(\)/g)].map((match) => match[1] as string);
}

/** Calls of the parser that take the next word of a record; some say by themselves what it is. */
const READS =
  /(?:(\w+)(?:\.push_back\(|\s*=\s*(?:\([\w ]+\)\s*)?))?\b(?:r\.next(?:Float)?|tensor(?:Id)?|norm|dropout(?:Id)?|convId|denseId|idOf)\(/g;
/** What an op keeps its words in: the list that it is in says what `index` counts; its tensors are a gradient from behind and one to write. */
const KEPT_IN: Readonly<Record<string, string>> = { a: 'dOut', b: 'dIn' };

/**
 * The words that the parser reads of each kind of record, by the names that it gives them, in their order.
 *
 * @returns of each record, in camel case: `fields`, and those that are `repeated` to its end; a word without a name is ''
 */
export function parseRecords(source: string): Record<string, { fields: string[]; repeated: string[] }> {
  const body = source.slice(source.indexOf('switch (record)'), source.indexOf('default: return fail'));
  const cases = body.split(/\bcase (?=[A-Z_]+:)/).slice(1);
  return Object.fromEntries(
    cases.map((text) => {
      const [, repeated = ''] = /while \(r\.at < r\.end\) \{([^}]*)\}/.exec(text) ?? [];
      const name = toCamelCase(text.slice(0, text.indexOf(':')));
      return [name, { fields: listReads(text.replace(repeated, '')), repeated: listReads(repeated) }];
    }),
  );
}

const listReads = (text: string): string[] =>
  [...text.replaceAll(/\/\/.*/g, '').matchAll(READS)].map(({ 0: read, 1: name = '', index }) => {
    if (name !== 'index') return KEPT_IN[name] ?? name;
    const [, list = ''] = /^idOf\(p->(\w+?)s_/.exec(text.slice(index + read.indexOf('idOf'))) ?? [];
    return list || (/(\w+?)Id\($/.exec(read)?.[1] ?? '');
  });

const toCamelCase = (word: string): string =>
  word.toLowerCase().replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
