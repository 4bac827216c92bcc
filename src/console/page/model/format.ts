/** Numbers, sizes, times and names as the page shows them. Pure. */

/** Three digits at most, so that columns stay narrow: 999, 12.3, 4.05. */
function threeDigits(value: number): string {
  if (value >= 100) return String(Math.round(value));
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function scaled(value: number, units: readonly string[], step: number): string {
  let unit = 0;
  // 999.6 would be shown as 1000 of the smaller unit.
  while (value >= step - 0.5 && unit < units.length - 1) {
    value /= step;
    unit += 1;
  }
  return `${unit === 0 ? Math.round(value) : threeDigits(value)} ${units[unit]}`;
}

/** Bits per second: `12.3 Mbit/s`; null: not known. */
export const bitRate = (bits: number | null): string =>
  bits === null ? '–' : scaled(bits, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s'], 1000);

/** Octets: `4.05 GB`. */
export const octets = (count: number): string => scaled(count, ['B', 'kB', 'MB', 'GB', 'TB'], 1000);

/** 12345 → `12,345`. */
export const count = (value: number): string => value.toLocaleString('en');

/** `1 session`, `2 sessions`. */
export const counted = (value: number, noun: string, plural = `${noun}s`): string =>
  `${count(value)} ${value === 1 ? noun : plural}`;

const SPANS = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
] as const;

/** Seconds in the two largest units that are not 0: `2 d 3 h`, `4 min 5 s`, `0 s`. */
export function duration(seconds: number): string {
  let rest = Math.max(0, Math.floor(seconds));
  const parts: string[] = [];
  for (const [unit, length] of SPANS) {
    const whole = Math.floor(rest / length);
    rest %= length;
    if (whole > 0) parts.push(`${whole} ${unit}`);
    // `3 d 5 s` would claim a precision that nobody reads.
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join(' ') || '0 s';
}

const two = (value: number): string => String(value).padStart(2, '0');
const dayOf = (date: Date): string => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;

/** Milliseconds since the epoch, in the reader's zone: `14:03:21` today, `2026-11-27 14:03` on other days. */
export function moment(time: number, now: number): string {
  const date = new Date(time);
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return dayOf(date) === dayOf(new Date(now)) ? `${clock}:${two(date.getSeconds())}` : `${dayOf(date)} ${clock}`;
}

/** `2026-11-28`, in the reader's zone. */
export const day = (time: number): string => dayOf(new Date(time));

const ABBREVIATIONS = new Set([
  'gre',
  'ppp',
  'pppd',
  'mppe',
  'mtu',
  'radius',
  'lcp',
  'ipcp',
  'ccp',
  'chap',
  'ip',
  'mru',
  'tcp',
  'dns',
]);
/** pppd is written in lower case. */
const spelled = (word: string): string => (word === 'pppd' || !ABBREVIATIONS.has(word) ? word : word.toUpperCase());

/** A stable name in words: `greNotReceived` → `GRE not received`. Any string is accepted. */
export function inWords(name: string): string {
  const words = name.replaceAll(/([a-z\d])([A-Z])/g, '$1 $2').split(' ');
  const text = words.map((word) => spelled(word.toLowerCase())).join(' ');
  return text.startsWith('pppd') ? text : text.charAt(0).toUpperCase() + text.slice(1);
}

/** `1kbit` of the form: `512k`, `20M`, `1.5G` or plain digits → bits per second; null: not understood. */
export function parseAmount(text: string): number | null {
  const [, digits, unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([kMGT]?)\s*$/i.exec(text) ?? [];
  if (digits === undefined) return null;
  const factor = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 }[unit.toLowerCase()];
  return factor === undefined ? null : Math.round(Number(digits) * factor);
}

/** The shortest text that `parseAmount` reads as this number: 20000000 → `20M`. */
export function amount(value: number): string {
  for (const [unit, factor] of [
    ['T', 1e12],
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const) {
    if (value >= factor && Number.isInteger((value * 1000) / factor)) return `${value / factor}${unit}`;
  }
  return String(value);
}

const UNITS = { s: 1, min: 60, h: 3600, d: 86_400 } as const;

/** `30 min`, `8h`, `90` (seconds) → seconds; null: not understood. */
export function parseDuration(text: string): number | null {
  const [, digits, unit = 's'] = /^\s*(\d+)\s*(s|min|h|d)?\s*$/.exec(text) ?? [];
  return digits === undefined ? null : Number(digits) * UNITS[unit as keyof typeof UNITS];
}

/** The text that `parseDuration` reads as this number: 28800 → `8 h`. */
export function durationInput(seconds: number): string {
  for (const [unit, length] of SPANS) {
    if (seconds > 0 && seconds % length === 0) return `${seconds / length} ${unit}`;
  }
  return '0';
}
