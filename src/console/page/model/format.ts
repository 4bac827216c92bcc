/** Numbers, times and names as the page shows them. Pure. */
import * as units from '../../../admin/units.js';

/** null: not known. */
export const bitRate = (bits: number | null): string => (bits === null ? '–' : units.bitRate(bits));

/** 12345 → `12,345`. */
export const count = (value: number): string => value.toLocaleString('en');

/** `1 session`, `2 sessions`. */
export const counted = (value: number, noun: string, plural = `${noun}s`): string =>
  `${count(value)} ${value === 1 ? noun : plural}`;

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

/** What `k` and the letters after it multiply: 1000 in rates, 1024 in sizes. */
export type Step = 1000 | 1024;
const LETTERS = ['', 'k', 'M', 'G', 'T'] as const;

/** `512k`, `20M`, `1.5G` or plain digits as a number; null: not understood. */
export function parseAmount(text: string, step: Step): number | null {
  const [, digits, letter = ''] = /^(\d+(?:\.\d+)?) ?([kMGT]?)$/.exec(text) ?? [];
  const power = LETTERS.findIndex((each) => each === letter);
  return digits === undefined ? null : Math.round(Number(digits) * step ** power);
}

/** The shortest text that `parseAmount` reads as this number: 20000000 → `20M`. */
export function amount(value: number, step: Step): string {
  const power = LETTERS.findLastIndex(
    (_, each) => value >= step ** each && Number.isInteger((value * 1000) / step ** each),
  );
  return power > 0 ? `${value / step ** power}${LETTERS[power]}` : String(value);
}

const SECONDS = { s: 1, min: 60, h: 3600, d: 86_400 } as const;

/** `30 min`, `8h`, `90` (seconds) as seconds; null: not understood. */
export function parseDuration(text: string): number | null {
  const [, digits, unit = 's'] = /^(\d+) ?(s|min|h|d)?$/.exec(text) ?? [];
  return digits === undefined ? null : Number(digits) * SECONDS[unit as keyof typeof SECONDS];
}

/** The text that `parseDuration` reads as this number: 28800 → `8 h`. */
export function durationInput(seconds: number): string {
  const [unit, length] = Object.entries(SECONDS).findLast(([, each]) => seconds % each === 0) ?? ['s', 1];
  return seconds === 0 ? '0' : `${seconds / length} ${unit}`;
}
