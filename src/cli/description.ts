/** Prints a session for `pptpd-ts show`: sections of labels and values. Pure. */
import { type Circumstances, sectionsOf } from '../admin/session-description.js';
import type { SessionState } from '../session/state.js';
import { bold } from './output.js';

export const describeSession = (state: SessionState, circumstances: Circumstances): string =>
  sectionsOf(state, circumstances)
    .map(({ title, rows }) => {
      const width = Math.max(...rows.map(([label]) => label.length));
      return [bold(title), ...rows.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`)].join('\n');
    })
    .join('\n\n');
