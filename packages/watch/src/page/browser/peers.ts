/** Who is in a run of several machines, who broke its rules and who was turned away, as `lockstep peers` lists them. */
import type { Roster } from '@lockstep/core/events';
import { countOf, type RosterTable, rosterNodes, rosterRefused, rosterStruck } from '@lockstep/core/text';
import type { PardonMessage } from '../peers-feed.js';
import { byId, type Child, element, fill, scrollable, setText, table } from './dom.js';

export class Peers {
  readonly #told = byId('peers-told');

  constructor(private readonly pardon: (who: string) => void) {}

  /** Whether there is anything to show: of one machine alone there is not. */
  #reveal(isThere: boolean): void {
    for (const id of ['peers', 'peers-link']) byId(id).hidden = !isThere;
  }

  /** Another process may go on with the run. */
  forget(): void {
    this.#reveal(false);
  }

  show(roster: Roster): void {
    this.#reveal(true);
    const pressed = document.activeElement instanceof HTMLButtonElement ? document.activeElement.dataset['pardon'] : '';
    const struck = rosterStruck(roster);
    const pardons = roster.struck.map(({ name }) => this.#button(name));
    fill(
      byId('peers-lists'),
      list(rosterNodes(roster), 'Only this machine so far'),
      list({ ...struck, heads: [...struck.heads, 'Pardon'] }, 'Nobody', pardons),
      list(withTimes(roster), 'Nobody'),
    );
    // what is drawn anew keeps the focus of who is at the keys
    if (pressed)
      byId('peers-lists')
        .querySelector<HTMLElement>(`[data-pardon="${CSS.escape(pressed)}"]`)
        ?.focus();
  }

  /** What came of a button; who pressed it by a key goes on from there, since it is gone. */
  tell({ who, count, refusal }: PardonMessage['pardoned']): void {
    const done = `${who} is pardoned: strikes of ${countOf(count, 'node')} are taken back`;
    setText(this.#told, count > 0 ? done : (refusal ?? `no node called ${who} has strikes any more`));
    this.#told.focus();
  }

  #button(name: string): HTMLElement {
    const press = (): void => this.pardon(name);
    const label = { type: 'button', class: 'small', 'data-pardon': name, 'aria-label': `Pardon ${name}` };
    return element('button', { ...label, click: press }, 'Pardon');
  }
}

function list({ title, heads, rows }: RosterTable, none: string, ends: readonly Child[] = []): HTMLElement {
  const cells = rows.map((row, index) => (ends[index] ? [...row, ends[index]] : row));
  const content = rows.length > 0 ? scrollable(title, table(heads, cells)) : element('p', { class: 'empty' }, none);
  return element('div', {}, element('h3', {}, title), content);
}

/** Instead of how long ago it was, which would have to be drawn anew each second. */
function withTimes(roster: Roster): RosterTable {
  const { title, rows } = rosterRefused(roster);
  const timeOf = (secondsAgo: number): string => new Date(Date.now() - 1000 * secondsAgo).toLocaleTimeString();
  return {
    title,
    heads: ['Address', 'At', 'Why'],
    rows: rows.map(([address = '', , why = ''], index) => [
      address,
      timeOf(roster.refused[index]?.secondsAgo ?? 0),
      why,
    ]),
  };
}
