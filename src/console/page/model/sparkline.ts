/** The path of a small curve. Pure. */

/** An SVG path of `values`, the newest at the right edge; empty for fewer than two. `most`: the value at the top. */
export function sparkline(
  values: readonly number[],
  { width, height, slots }: { width: number; height: number; slots: number },
  most: number,
): string {
  if (values.length < 2) return '';
  const step = width / (slots - 1);
  const left = width - (values.length - 1) * step;
  const scale = most > 0 ? (height - 2) / most : 0;
  const at = (value: number, index: number): string =>
    `${(left + index * step).toFixed(1)} ${(height - 1 - value * scale).toFixed(1)}`;
  return `M${values.map(at).join('L')}`;
}
