/** pptpd's options: whether file and command line accept them, and what pptpd does if the value is missing. */
import type { Source } from './import-notes.js';

interface Kind {
  /** Its letter on the command line; null: only the file accepts it. */
  readonly letter: string | null;
  readonly hasValue: boolean;
  /** What pptpd does if the value is missing. By default it reads the empty value like any other. */
  readonly withoutValue?: { readonly starts: boolean; readonly text: string };
}

const REFUSES = { starts: false, text: 'pptpd would not start' };
const starts = (text: string): { starts: boolean; text: string } => ({ starts: true, text });

export const OPTIONS = {
  bcrelay: { letter: 'b', hasValue: true, withoutValue: starts('pptpd relays no broadcasts; left out') },
  conf: { letter: 'c', hasValue: true, withoutValue: REFUSES },
  debug: { letter: 'd', hasValue: false },
  ppp: { letter: 'e', hasValue: true, withoutValue: REFUSES },
  fg: { letter: 'f', hasValue: false },
  help: { letter: 'h', hasValue: false },
  noipparam: { letter: 'i', hasValue: false },
  listen: { letter: 'l', hasValue: true, withoutValue: REFUSES },
  option: { letter: 'o', hasValue: true, withoutValue: REFUSES },
  pidfile: { letter: 'p', hasValue: true, withoutValue: starts('pptpd writes no pid file; left out') },
  speed: {
    letter: 's',
    hasValue: true,
    withoutValue: starts('pptpd uses 115200, which is also the default here; left out'),
  },
  stimeout: { letter: 't', hasValue: true },
  version: { letter: 'v', hasValue: false },
  logwtmp: { letter: 'w', hasValue: false },
  connections: { letter: 'C', hasValue: true },
  delegate: { letter: 'D', hasValue: false },
  vrf: { letter: 'V', hasValue: true, withoutValue: starts('left out') },
  localip: { letter: null, hasValue: true, withoutValue: REFUSES },
  remoteip: { letter: null, hasValue: true, withoutValue: REFUSES },
} as const satisfies Record<string, Kind>;

export type Option = keyof typeof OPTIONS;

export const kindOf = (option: Option): Kind => OPTIONS[option];

/** Options that the file does not accept. */
const COMMAND_LINE_ONLY: ReadonlySet<Option> = new Set(['conf', 'fg', 'help', 'version']);

const options = Object.keys(OPTIONS) as Option[];

export const FILE_OPTIONS: readonly Option[] = options.filter((option) => !COMMAND_LINE_ONLY.has(option));
export const COMMAND_LINE_OPTIONS: readonly Option[] = options.filter((option) => OPTIONS[option].letter !== null);

export interface Setting {
  /** As pptpd reads it: a trailing comment and a CR are part of it. */
  readonly value: string;
  readonly source: Source;
  readonly from: 'file' | 'command line';
}

export type Settings = ReadonlyMap<Option, Setting>;
