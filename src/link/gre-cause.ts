/** The end cause for a GRE socket that cannot be opened. */
import { SystemCallFailed } from '../sys/libc.js';
import { RawSocketRefused } from '../sys/raw-socket.js';
import { messageOf } from '../sys/thrown.js';
import type { EndCause } from './end-cause.js';

export function greCause(error: unknown): EndCause {
  if (error instanceof SystemCallFailed) return { kind: 'gre', step: error.step, problem: error.code };
  const step = 'open a raw socket for GRE (IP protocol 47)';
  const problem = messageOf(error);
  if (error instanceof RawSocketRefused)
    return { kind: 'gre', step, problem: `${problem}; this needs root or CAP_NET_RAW` };
  return { kind: 'gre', step, problem };
}
