/** Stop signals for commands that run until they are stopped: Ctrl-C, TERM, or the terminal is closed. */

/** Aborted by the first of these signals. A second signal of the same kind ends the process. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => controller.abort());
  return controller.signal;
}
