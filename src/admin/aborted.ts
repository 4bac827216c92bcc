/** Waits for an AbortSignal. */

/** Resolves when `signal` is aborted, at once if it already is. */
export async function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve());
  });
}
