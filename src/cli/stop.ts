/** How commands that go on until they are told to stop are told: Ctrl-C, TERM, or the terminal's end. */

/** Aborted by the first of these signals, which then end the program no more by themselves. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => controller.abort());
  return controller.signal;
}

/** Resolves when `signal` is aborted, also if it is already. */
export async function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve());
  });
}
