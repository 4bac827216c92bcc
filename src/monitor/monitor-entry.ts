/** The program of monitor and supervisor, and how it ends. Apart, so that whoever starts it does not load it. */
import { fileURLToPath } from 'node:url';

export const MONITOR_ENTRY = fileURLToPath(new URL('../bundle/monitor.js', import.meta.url));

/** `ended`: by a signal, or nobody needs it any more. */
export const MONITOR_EXIT = { ended: 0, cannotWork: 1, wrongCall: 2, runsAlready: 3 } as const;
