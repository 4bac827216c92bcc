/**
 * CLOCK_MONOTONIC, which cannot be set and is the same for all processes of a machine. performance.now() returns it
 * too, but makes Node load node:perf_hooks, which takes 5 to 10 ms during a worker's first session.
 */

/** Milliseconds, with fractions. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

/** Seconds, with fractions. */
export const monotonicSeconds = (): number => monotonicMs() / 1000;

/** The longest time that a limit may have, seconds (23 days): what Node's timers can count, rounded down. */
export const MAX_TIMER_SECONDS = 2_000_000;
