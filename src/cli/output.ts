/** How the commands print: tables, times, amounts. Colours on a terminal alone. */

const useColour = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;

const colour = (code: number) => (text: string) => (useColour ? `\u001B[${code}m${text}\u001B[0m` : text);

export const green = colour(32);
export const yellow = colour(33);
export const red = colour(31);
export const bold = colour(1);

/** Rows under headings, columns as wide as they must be; the last column is not padded. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    cells.map((cell, column) => (column === cells.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join('  ');
  return [bold(line(headings)), ...rows.map(line)].join('\n');
}

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
