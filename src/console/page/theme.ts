/** Light or dark: as the system has it, until somebody chooses. The choice stays in this browser. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';

export type Theme = 'light' | 'dark';

const KEY = 'pptpd-ts-theme';

const dark = matchMedia('(prefers-color-scheme: dark)');

export function chosenTheme(): Theme {
  const stored = localStorage.getItem(KEY);
  return stored === 'light' || stored === 'dark' ? stored : dark.matches ? 'dark' : 'light';
}

export function applyTheme(theme: Theme): void {
  document.documentElement.dataset['theme'] = theme;
}

export function keepTheme(theme: Theme): void {
  localStorage.setItem(KEY, theme);
}

/** Calls back when the system's theme changes and nobody has chosen one. */
export const onSystemTheme = (changed: (theme: Theme) => void): void =>
  dark.addEventListener('change', () => {
    if (localStorage.getItem(KEY) === null) changed(chosenTheme());
  });

export const ThemeContext = createContext<{ theme: Theme; toggle: () => void }>({ theme: 'light', toggle: () => {} });
export const useTheme = (): { theme: Theme; toggle: () => void } => useContext(ThemeContext);
