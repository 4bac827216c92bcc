/** The page's icons: strokes on a grid of 24, of the text's colour. Decoration only: what they mean is always written, too. */
const PATHS = {
  overview: 'M4 13h6V4H4zM14 20h6v-9h-6zM4 20h6v-3H4zM14 7h6V4h-6z',
  sessions: 'M4 7h16M4 12h16M4 17h10',
  failures: 'M12 4 2.8 20h18.4zM12 10v4.5M12 17.2v.3',
  users:
    'M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c.4-3.6 3-5.5 6.5-5.5s6.100 1.900 6.500 5.500M16 4.800a3.500 3.500 0 0 1 0 6.400M18.500 15c1.800.8 2.800 2.500 3 5',
  history: 'M4 12a8 8 0 1 0 2.600-5.900M4 4v4h4M12 8v4.500l3 2',
  server: 'M4 5h16v6H4zM4 13h16v6H4zM7.500 8h.1M7.500 16h.1M11 8h5M11 16h5',
  search: 'M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13zM15.300 15.300 20 20',
  down: 'M12 5v14M6 13l6 6 6-6',
  up: 'M12 19V5M6 11l6-6 6 6',
  kick: 'M9 4H5v16h4M14 8l4 4-4 4M18 12H9',
  capture: 'M12 4v11M7 10.500l5 5 5-5M4 20h16',
  theme:
    'M12 3v2M12 19v2M3 12h2M19 12h2M5.600 5.600 7 7M17 17l1.400 1.400M5.600 18.400 7 17M17 7l1.400-1.400M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8z',
  logout: 'M14 4h5v16h-5M10 8l-4 4 4 4M6 12h9',
  plus: 'M12 5v14M5 12h14',
  close: 'M6 6l12 12M18 6 6 18',
  ok: 'M5 12.500l4.500 4.500L19 7.500',
  warning: 'M12 4 2.800 20h18.400zM12 10v4.500M12 17.200v.3',
  back: 'M14 6l-6 6 6 6',
  sortUp: 'M7 14l5-5 5 5',
  sortDown: 'M7 10l5 5 5-5',
  shield: 'M12 3l8 3v6c0 4.500-3.300 7.800-8 9-4.700-1.200-8-4.500-8-9V6z',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
