/** The program of monitor and supervisor. Apart, so that whoever starts it does not load it. */
import { fileURLToPath } from 'node:url';

export const MONITOR_ENTRY = fileURLToPath(new URL('main.js', import.meta.url));
