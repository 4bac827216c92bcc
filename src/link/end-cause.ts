/** Why a link has ended, as data. Sentences are made of it where people read them: `describeEndCause`, ctrl/explain. */

/** What pppd has printed about its secrets (link/pppd/complaints). */
export type PppdComplaint = 'noSecret' | 'noAddressInSecrets';

export type EndCause =
  /** pppd ended; `words`: what it printed before its first frame, most often why; `complaint`: what of it is known. */
  | {
      readonly kind: 'exit';
      readonly code: number;
      readonly words: string;
      readonly complaint: PppdComplaint | null;
    }
  | { readonly kind: 'signal'; readonly signal: number; readonly words: string }
  /** The program that speaks PPP could not be started; `problem` is what the system said. */
  | { readonly kind: 'notStarted'; readonly program: string; readonly problem: string }
  /** The PPP link ended, and neither did pppd nor did another link come up. */
  | { readonly kind: 'linkEnded'; readonly seconds: number }
  /** It started, and has sent no PPP frame since. */
  | { readonly kind: 'noFirstFrame'; readonly seconds: number }
  /** The GRE socket could not be opened, or failed: at which step, and with which error. */
  | { readonly kind: 'gre'; readonly step: string; readonly problem: string };

/** pppd's exit codes (pppd(8), EXIT STATUS), and those of the shell that was to become pppd (POSIX, XCU 2.8.2). */
const EXIT_CODES: Readonly<Record<number, string>> = {
  1: 'an immediately fatal error',
  2: 'an error in its options or options file',
  3: 'it is not set-uid root and not run by root',
  4: 'the kernel does not support PPP',
  5: 'it was told to end',
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
  126: 'the system would not run it',
  127: 'it is not there any more',
};

/** In words, for the log and for `detail` of a session's end. */
export function describeEndCause(cause: EndCause): string {
  switch (cause.kind) {
    case 'exit':
      return quoting(
        `pppd ended: ${EXIT_CODES[cause.code] ?? 'for a reason of its own'} (exit code ${cause.code})`,
        cause.words,
      );
    case 'signal':
      return quoting(`pppd was ended by signal ${cause.signal}`, cause.words);
    case 'notStarted':
      return `cannot start ${cause.program}: ${cause.problem}`;
    case 'linkEnded':
      return `no other came up within ${cause.seconds} s`;
    case 'noFirstFrame':
      return `it sent no PPP frame within ${cause.seconds} s`;
    case 'gre':
      return `cannot ${cause.step}: ${cause.problem}`;
  }
}

const quoting = (text: string, words: string): string => (words === '' ? text : `${text}; it said: ${words}`);
