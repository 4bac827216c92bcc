/** How the commands print times and amounts, and colours: those on a terminal alone, and not against NO_COLOR. */

const useColour = process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '';

const colour = (code: number) => (text: string) => (useColour ? `\u001B[${code}m${text}\u001B[0m` : text);

export const green = colour(32);
export const yellow = colour(33);
export const red = colour(31);
export const bold = colour(1);

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** Octets in three digits or so: `1.4 MiB`. */
export function octets(count: number): string {
  let [value, unit] = [count, 0];
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** A point in time on this machine's clock: `2026-11-23 10:04:07`. */
export function localTime(milliseconds: number): string {
  const date = new Date(milliseconds);
  const two = (number: number): string => String(number).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
