/** Times, durations and sizes as text, and points in time from text. Pure. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** Octets with about three digits: `1.4 MiB`. */
export function octets(count: number): string {
  let [value, unit] = [count, 0];
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** Milliseconds since the epoch as local time: `2026-11-23 10:04:07`. */
export function localTime(milliseconds: number): string {
  const date = new Date(milliseconds);
  const two = (number: number): string => String(number).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** A duration in its two largest units: `3 d 4 h`, `1 h 5 min`, `42 s`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const parts = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's'],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  if (first === -1) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}

const AGO = { s: 1, min: 60, m: 60, h: 3600, d: 86_400 } as const;

/**
 * Parses a time: an age (`90min`, `12h`, `7d`) or ISO 8601, which is local time without a zone (`2026-11-23`,
 * `2026-11-23T10:00`). Milliseconds since the epoch; null if it is neither.
 */
export function pointInTime(text: string, now: number): number | null {
  const [, count, unit] = /^(\d+(?:\.\d+)?) ?(s|min|m|h|d)$/.exec(text) ?? [];
  if (count !== undefined) return now - Number(count) * AGO[unit as keyof typeof AGO] * 1000;
  // Date.parse accepts more than ISO 8601, and takes a date alone as midnight UTC.
  if (!/^\d{4}-\d\d-\d\d/.test(text)) return null;
  const time = Date.parse(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00` : text);
  return Number.isNaN(time) ? null : time;
}

const RATE_UNITS = ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s'] as const;

/** `up 5.0 Mbit/s, down 20.0 Mbit/s`, without what has no limit. Of bits per second; null: no limit at all. */
export function speedText(speed: Speed | null): string | null {
  if (speed === null) return null;
  const ways = (['up', 'down'] as const).flatMap((way) => (speed[way] == null ? [] : `${way} ${bitRate(speed[way])}`));
  return ways.length === 0 ? null : ways.join(', ');
}

/** Left out or null: no limit in this direction. */
interface Speed {
  readonly up?: number | null | undefined;
  readonly down?: number | null | undefined;
}

/** Bits per second with about three digits: `1.4 Mbit/s`. */
export function bitRate(bits: number): string {
  let [value, unit] = [bits, 0];
  while (value >= 1000 && unit < RATE_UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${RATE_UNITS[unit]}`;
}
