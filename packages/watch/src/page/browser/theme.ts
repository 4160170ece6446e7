/** Light or dark: as the system is, or as the person chose. */
const KEY = 'lockstep.theme';
const query = matchMedia('(prefers-color-scheme: dark)');

export const isDark = (): boolean => {
  const chosen = document.documentElement.dataset['theme'];
  return chosen === undefined ? query.matches : chosen === 'dark';
};

/** Sets up the button. @param onChange the colours are others now */
export function followTheme(button: HTMLButtonElement, onChange: () => void): void {
  const chosen = localStorage.getItem(KEY);
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset['theme'] = chosen;
  const label = (): void => button.setAttribute('aria-label', isDark() ? 'Light colours' : 'Dark colours');
  button.addEventListener('click', () => {
    const next = isDark() ? 'light' : 'dark';
    document.documentElement.dataset['theme'] = next;
    localStorage.setItem(KEY, next);
    label();
    onChange();
  });
  query.addEventListener('change', () => {
    label();
    onChange();
  });
  label();
}

/** The value of a colour of style.css. */
export const color = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
