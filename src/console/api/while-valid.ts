/** Ends a long answer when its reader may read no longer: the user was removed, logged out, or has another role. */

/** `every`: ms between two looks. Until `close`. While nobody can tell, the answer goes on. */
export function whileValid(
  isStillValid: () => Promise<boolean>,
  every: number,
): { readonly over: AbortSignal; readonly close: () => void } {
  const controller = new AbortController();
  const look = async (): Promise<void> => {
    if (!(await isStillValid().catch(() => true))) controller.abort();
  };
  const timer = setInterval(() => void look(), every).unref();
  return { over: controller.signal, close: () => clearInterval(timer) };
}
