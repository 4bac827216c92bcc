/**
 * CLOCK_MONOTONIC, which nobody sets and which is the same for all processes of a machine. It is what performance.now()
 * tells, but for that Node loads node:perf_hooks, which takes 5 to 10 ms in the middle of a worker's first session.
 */

/** Milliseconds, with fractions. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

/** Seconds, with fractions. */
export const monotonicSeconds = (): number => monotonicMs() / 1000;
