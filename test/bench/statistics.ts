/** Several runs as one figure: the median, and how far the others are from it. */

export interface Summary {
  readonly median: number;
  /** The farthest run's distance from the median, as a part of it. */
  readonly spread: number;
  readonly runs: readonly number[];
}

/** Of at least one run. */
export function summarize(runs: readonly number[]): Summary | null {
  const sorted = runs.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[middle]];
  if (low === undefined || high === undefined) return null;
  const median = (low + high) / 2;
  const farthest = Math.max(...runs.map((run) => Math.abs(run - median)));
  return { median, spread: median === 0 ? 0 : farthest / median, runs };
}
