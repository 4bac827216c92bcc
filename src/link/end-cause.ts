/** Why a link has ended, as data. `describeEndCause` and ctrl/explain turn it into sentences. */

import type { MonitorFailure } from '../monitor/monitor-failure.js';
import { describeEngineEnd, type EngineEnd } from '../ppp/engine/end.js';

/** What pppd has printed about its secrets (link/pppd/complaints). */
export type PppdComplaint = 'noSecret' | 'noAddressInSecrets';

export type EndCause =
  /** pppd exited. `words` is what it printed before its first frame, usually an error message; `complaint`: a known one. */
  | {
      readonly kind: 'exit';
      readonly code: number;
      readonly words: string;
      readonly complaint: PppdComplaint | null;
    }
  | { readonly kind: 'signal'; readonly signal: number; readonly words: string }
  /** The PPP program could not be started; `problem` is the system's error message. */
  | { readonly kind: 'notStarted'; readonly program: string; readonly problem: string }
  /** The PPP link ended; pppd did not exit, and no new link came up. */
  | { readonly kind: 'noNewLink'; readonly seconds: number }
  /** pppd closed its side of the pty, but did not exit. */
  | { readonly kind: 'ptyClosed'; readonly seconds: number }
  /** The pty could not be read: an error name of errno(3). */
  | { readonly kind: 'ptyUnreadable'; readonly problem: string }
  /** pppd sends its frames as they are, which cannot be told apart on a pty (its option `sync`). */
  | { readonly kind: 'synchronous' }
  /** The PPP program started but sent no PPP frame. */
  | { readonly kind: 'noFirstFrame'; readonly seconds: number }
  /** The builtin engine ended the connection, or the client did. */
  | { readonly kind: 'ppp'; readonly end: EngineEnd }
  /** The network interface could not be opened, configured or used; `failure`: why the monitor did not do it. */
  | { readonly kind: 'device'; readonly problem: string; readonly failure?: MonitorFailure | undefined }
  /** The login could not be checked: no monitor, or no secrets. */
  | { readonly kind: 'login'; readonly problem: string; readonly failure?: MonitorFailure | undefined }
  /** So many packets of the client could not be decrypted that its keys must be others. */
  | { readonly kind: 'undecryptable' }
  /** The GRE socket could not be opened, or failed: the failed step and its error. */
  | { readonly kind: 'gre'; readonly step: string; readonly problem: string };

/** Exit codes of pppd (pppd(8), EXIT STATUS), and of the shell that executes pppd (POSIX, XCU 2.8.2). */
const EXIT_CODES: Readonly<Record<number, string>> = {
  1: 'an immediately fatal error',
  2: 'an error in its options or options file',
  3: 'it is neither set-uid root nor run by root',
  4: 'the kernel does not support PPP',
  5: 'it was told to terminate',
  6: 'the serial port could not be locked',
  7: 'the serial port could not be opened',
  8: 'the connect script failed',
  9: 'the pty command could not be run',
  10: 'the PPP negotiation failed: no network protocol came up',
  11: 'the peer did not authenticate itself',
  12: 'the link was idle',
  13: 'the connect time limit was reached',
  14: 'a callback was negotiated',
  15: 'the peer no longer answered its echo requests',
  16: 'the link was hung up',
  17: 'the link is looped back',
  18: 'the init script failed',
  19: 'we failed to authenticate ourselves to the peer',
  20: 'the traffic limit was reached',
  21: "the client's address is not allowed (allow-number)",
  126: 'the system refused to execute it',
  127: 'the program was not found',
};

const quoting = (text: string, words: string): string => (words === '' ? text : `${text}; it said: ${words}`);

const TEXTS: {
  readonly [K in EndCause['kind']]: string | ((cause: Extract<EndCause, { readonly kind: K }>) => string);
} = {
  exit: ({ code, words }) =>
    quoting(`pppd ended: ${EXIT_CODES[code] ?? 'an unknown error'} (exit code ${code})`, words),
  signal: ({ signal, words }) => quoting(`pppd was killed by signal ${signal}`, words),
  notStarted: ({ program, problem }) => `cannot start ${program}: ${problem}`,
  noNewLink: ({ seconds }) => `no new link within ${seconds} s`,
  ptyClosed: ({ seconds }) => `pppd closed its terminal, but did not exit within ${seconds} s`,
  ptyUnreadable: ({ problem }) => `cannot read pppd's terminal: ${problem}`,
  synchronous: 'it sends PPP frames without HDLC',
  noFirstFrame: ({ seconds }) => `it sent no PPP frame within ${seconds} s`,
  ppp: ({ end }) => describeEngineEnd(end),
  device: ({ problem }) => problem,
  login: ({ problem }) => `the login cannot be checked: ${problem}`,
  undecryptable: "the client's packets cannot be decrypted",
  gre: ({ step, problem }) => `cannot ${step}: ${problem}`,
};

/** For the log and for `detail` of a session's end. */
export function describeEndCause(cause: EndCause): string {
  // The kind picks the text of this very cause.
  const text = TEXTS[cause.kind] as string | ((cause: EndCause) => string);
  return typeof text === 'string' ? text : text(cause);
}
