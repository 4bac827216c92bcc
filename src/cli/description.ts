/** Prints a session for `pptpd-ts show`: sections of labels and values. Pure. */
import { sectionsOf } from '../admin/session-description.js';
import type { SessionState } from '../session/state.js';
import { bold } from './output.js';

/** `interfaceName`: the tunnel's interface, null if there is none. `now`: milliseconds since the epoch. */
export const describeSession = (state: SessionState, interfaceName: string | null, now: number): string =>
  sectionsOf(state, interfaceName, now)
    .map(({ title, rows }) => {
      const width = Math.max(...rows.map(([label]) => label.length));
      return [bold(title), ...rows.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`)].join('\n');
    })
    .join('\n\n');
