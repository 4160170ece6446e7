/** Makes elements. Text is set as text, never as markup. */

type Value = string | number | boolean | undefined | ((event: Event) => void);
export type Child = Node | string | number | undefined | false;

/** An element; attributes that are functions are listeners, `undefined` and `false` are left out. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, Value>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, '');
    else if (value !== undefined && value !== false) made.setAttribute(name, String(value));
  }
  made.append(...listNodes(children));
  return made;
}

/** Puts children in place of those that are there. */
export const fill = (parent: Element, ...children: readonly Child[]): void =>
  parent.replaceChildren(...listNodes(children));

const listNodes = (children: readonly Child[]): (Node | string)[] =>
  children
    .filter((child) => child !== undefined && child !== false)
    .map((child) => (typeof child === 'number' ? String(child) : child));

/** The element of the page with this id. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found as T;
}

/** Sets a text only where it changes, so that what a person has selected stays so. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** A table with headings; cells that are numbers stand to the right. */
export function table(
  headings: readonly string[],
  rows: readonly (readonly Child[])[],
  numbers = '',
): HTMLTableElement {
  const kind = (column: number): { class: string | undefined } => ({
    class: numbers[column] === 'r' ? 'number' : undefined,
  });
  return element(
    'table',
    {},
    element(
      'thead',
      {},
      element('tr', {}, ...headings.map((text, i) => element('th', { scope: 'col', ...kind(i) }, text))),
    ),
    element(
      'tbody',
      {},
      ...rows.map((cells) => element('tr', {}, ...cells.map((cell, i) => element('td', kind(i), cell)))),
    ),
  );
}

/** Terms and their descriptions, for a `dl`. */
export const describeFacts = (facts: readonly (readonly [name: string, value: Child])[]): HTMLElement[] =>
  facts.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]);

/** A box that scrolls sideways when its content is too wide, with keys as well. */
export const scrollable = (label: string, ...children: readonly Child[]): HTMLElement =>
  element('div', { class: 'scroll', role: 'region', tabindex: 0, 'aria-label': label }, ...children);
