/**
 * The time of a worker, ms with fractions, on a clock that nobody sets (CLOCK_MONOTONIC). It is what performance.now() tells,
 * but with that Node loads node:perf_hooks, 5 to 10 ms in the middle of a worker's first session.
 */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}
