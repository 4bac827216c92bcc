/**
 * From pptpd's configuration file and command line to ours. Both are read by pptpd's own rules, those included that
 * nobody meant (observed on pptpd 1.4.0), so that the result does what the old server did; whatever was silently
 * ignored there, or cannot be carried over, is named with its line. Pure: text in, configuration and remarks out.
 */
import { expandRanges, rangesOf } from './addresses.js';
import { checkConfiguration } from './load.js';
import type { ConfigurationInput } from './schema.js';

export type Imported =
  | { readonly ok: true; readonly input: ConfigurationInput; readonly remarks: readonly string[] }
  | { readonly ok: false; readonly faults: readonly string[]; readonly remarks: readonly string[] };

/** Every option of pptpd: its letter on the command line (null: in the file alone), and whether a value follows. */
const OPTIONS = {
  bcrelay: { letter: 'b', hasValue: true },
  conf: { letter: 'c', hasValue: true },
  debug: { letter: 'd', hasValue: false },
  ppp: { letter: 'e', hasValue: true },
  fg: { letter: 'f', hasValue: false },
  help: { letter: 'h', hasValue: false },
  noipparam: { letter: 'i', hasValue: false },
  listen: { letter: 'l', hasValue: true },
  option: { letter: 'o', hasValue: true },
  pidfile: { letter: 'p', hasValue: true },
  speed: { letter: 's', hasValue: true },
  stimeout: { letter: 't', hasValue: true },
  version: { letter: 'v', hasValue: false },
  logwtmp: { letter: 'w', hasValue: false },
  connections: { letter: 'C', hasValue: true },
  delegate: { letter: 'D', hasValue: false },
  vrf: { letter: 'V', hasValue: true },
  localip: { letter: null, hasValue: true },
  remoteip: { letter: null, hasValue: true },
} as const satisfies Record<string, { letter: string | null; hasValue: boolean }>;

type Option = keyof typeof OPTIONS;

/** Known on the command line, and unknown in the file. */
const COMMAND_LINE_ONLY: ReadonlySet<Option> = new Set(['conf', 'fg', 'help', 'version']);

/** pptpd ignores lines of so many octets and more. */
const LONG_LINE = 510;

/** What pptpd takes where its file names no addresses. */
const PPTPD_ADDRESSES = { localip: '192.168.0.1', remoteip: '192.168.1.1-100' };

/** Where something was said: a line of the file, or an argument. */
interface Source {
  readonly text: string;
  /** For the order of the remarks: the file from top to bottom, then what has no line. */
  readonly line: number;
}

interface Setting {
  readonly value: string;
  readonly source: Source;
}

type Settings = Map<Option, Setting>;

/** What there is to say to the administrator: remarks, and faults that stand in the way of a configuration. */
class Notes {
  readonly #remarks: { readonly source: Source; readonly text: string }[] = [];
  readonly #faults: { readonly source: Source; readonly text: string }[] = [];

  remark(source: Source, text: string): void {
    this.#remarks.push({ source, text });
  }

  fault(source: Source, text: string): void {
    this.#faults.push({ source, text });
  }

  get remarks(): string[] {
    return inOrder(this.#remarks);
  }

  get faults(): string[] {
    return inOrder(this.#faults);
  }
}

const inOrder = (notes: readonly { readonly source: Source; readonly text: string }[]): string[] =>
  notes.toSorted((a, b) => a.source.line - b.source.line).map(({ source, text }) => `${source.text}: ${text}`);

/**
 * `file` as pptpd would read it, and pptpd's arguments without its own name. Where both name something, the command
 * line counts. The input has been checked: it passes the schema.
 */
export function importPptpd(
  file: { readonly name: string; readonly text: string },
  commandLine: readonly string[],
): Imported {
  const notes = new Notes();
  const fromFile = readFile(file, notes);
  const fromCommandLine = readCommandLine(commandLine, notes);
  const { input, origins } = carryOver(merge(fromFile, fromCommandLine, notes), fromCommandLine, file.name, notes);
  const checked = checkConfiguration(input);
  if (!checked.ok) {
    for (const { key, text } of checked.problems) {
      const origin = [...origins].find(([path]) => key === path || key.startsWith(`${path}[`))?.[1];
      notes.fault(origin ?? NOWHERE, `${key}: ${text}`);
    }
  }
  const { remarks, faults } = notes;
  return faults.length > 0 ? { ok: false, faults, remarks } : { ok: true, input, remarks };
}

/** The file of pptpd that its command line names, or null; the last one counts. */
export function configurationFileOf(commandLine: readonly string[]): string | null {
  return readCommandLine(commandLine, new Notes()).get('conf')?.value ?? null;
}

/**
 * hosts.allow or hosts.deny, which pptpd obeys (libwrap) and we do not: a remark for each line that concerns it, so that
 * nobody loses that protection unawares.
 */
export function remarksOfHostsFile(file: { readonly name: string; readonly text: string }): string[] {
  return file.text.split('\n').flatMap((line, index) => {
    const daemons = /^\s*([^#:]+):/.exec(line)?.[1]?.split(/[\s,]+/) ?? [];
    if (!daemons.includes('pptpd') && !daemons.includes('ALL')) return [];
    return [
      `${file.name}:${index + 1}: not carried over, and pptpd obeys it (${quoted(line.trim())}); write access.allow and access.deny`,
    ];
  });
}

const NOWHERE: Source = { text: "pptpd's default", line: Number.POSITIVE_INFINITY };

const isOption = (word: string): word is Option => Object.hasOwn(OPTIONS, word);

function readFile({ name, text }: { readonly name: string; readonly text: string }, notes: Notes): Settings {
  const settings: Settings = new Map();
  for (const [index, line] of text.split('\n').entries()) {
    const source = { text: `${name}:${index + 1}`, line: index + 1 };
    // A comment has no effect, indented or not; the same goes for an empty line.
    if (/^\s*(?:#|$)/.test(line)) continue;
    const ignored = (reason: string): void =>
      notes.remark(source, `pptpd ignores this line, and it is not carried over: ${reason}`);
    if (Buffer.byteLength(line) >= LONG_LINE) ignored(`it is longer than ${LONG_LINE - 1} characters`);
    else if (/^\s/.test(line)) ignored(`it begins with a space (${quoted(line.trim())})`);
    else readLine(line, source, settings, ignored, notes);
  }
  return settings;
}

function readLine(
  line: string,
  source: Source,
  settings: Settings,
  ignored: (reason: string) => void,
  notes: Notes,
): void {
  const [, keyword = '', rest = ''] = /^([^ \t]+)(.*)$/s.exec(line) ?? [];
  if (!isOption(keyword) || COMMAND_LINE_ONLY.has(keyword)) {
    ignored(unknownKeyword(keyword));
    return;
  }
  const first = settings.get(keyword);
  if (first !== undefined) {
    ignored(`"${keyword}" stands in line ${first.source.line} already, and the first counts`);
    return;
  }
  let value = rest.trim();
  if (rest.endsWith('\r')) {
    notes.remark(source, 'it ends in CR (a DOS line end), which pptpd takes into the value; carried over without it');
  } else if (/[ \t]$/.test(rest)) {
    notes.remark(source, 'spaces at the end are left out, as pptpd does');
  }
  if (!OPTIONS[keyword].hasValue && value !== '') {
    notes.remark(source, `"${keyword}" takes no value; ${quoted(value)} is left out, as pptpd does`);
    value = '';
  }
  settings.set(keyword, { value, source });
}

function unknownKeyword(keyword: string): string {
  const bare = keyword.replace(/\r$/, '');
  if (bare !== keyword && isOption(bare)) return `it ends in CR (a DOS line end), and so is not "${bare}"`;
  const lower = bare.toLowerCase();
  if (bare !== lower && isOption(lower)) return `${quoted(bare)} is no keyword; "${lower}" would be one`;
  return `${quoted(bare)} is no keyword`;
}

/** As getopt_long(3) reads it: options anywhere, letters together, names cut short; the last of the same kind counts. */
function readCommandLine(commandLine: readonly string[], notes: Notes): Settings {
  const settings: Settings = new Map();
  const words = commandLine.values();
  const sourceOf = (word: string): Source => ({ text: `command line, ${word}`, line: Number.MAX_SAFE_INTEGER });
  const take = (option: Option, word: string, attached: string | undefined): void => {
    const source = sourceOf(word);
    const value = OPTIONS[option].hasValue ? (attached ?? words.next().value) : '';
    if (value === undefined) {
      notes.fault(source, 'its value is missing; pptpd would not start');
      return;
    }
    const earlier = settings.get(option);
    if (earlier !== undefined && earlier.value !== value) {
      notes.remark(source, `stands there twice; ${quoted(value)} counts, as in pptpd`);
    }
    settings.set(option, { value, source });
  };

  for (const word of words) {
    if (word === '--') {
      for (const rest of words) notes.remark(sourceOf(rest), 'stands behind --, where pptpd ignores it');
    } else if (word.startsWith('--')) {
      const [name = '', ...parts] = word.slice(2).split('=');
      const option = longOption(name);
      const attached = parts.length === 0 ? undefined : parts.join('=');
      if (option === null) notes.fault(sourceOf(word), 'no option of pptpd, or short for several; it would not start');
      else if (attached !== undefined && !OPTIONS[option].hasValue) notes.fault(sourceOf(word), 'takes no value');
      else take(option, `--${option}`, attached);
    } else if (word.startsWith('-') && word !== '-') {
      takeLetters(word, take, (letter) => notes.fault(sourceOf(letter), 'no option of pptpd; it would not start'));
    } else {
      notes.remark(sourceOf(word), 'no option; pptpd ignores it');
    }
  }
  return settings;
}

function takeLetters(
  word: string,
  take: (option: Option, word: string, attached: string | undefined) => void,
  unknown: (letter: string) => void,
): void {
  for (let at = 1; at < word.length; at += 1) {
    const letter = word.charAt(at);
    const option = commandLineOptions().find((name) => OPTIONS[name].letter === letter);
    if (option === undefined) {
      unknown(`-${letter}`);
      continue;
    }
    const rest = word.slice(at + 1);
    take(option, `-${letter}`, rest === '' ? undefined : rest);
    if (OPTIONS[option].hasValue) return;
  }
}

const commandLineOptions = (): Option[] =>
  (Object.keys(OPTIONS) as Option[]).filter((option) => OPTIONS[option].letter !== null);

function longOption(name: string): Option | null {
  const options = commandLineOptions();
  const exact = options.find((option) => option === name);
  if (exact !== undefined) return exact;
  const [only, ...others] = name === '' ? [] : options.filter((option) => option.startsWith(name));
  return only === undefined || others.length > 0 ? null : only;
}

/** The command line over the file, always; pptpd does otherwise for `connections`, which is said. */
function merge(fromFile: Settings, fromCommandLine: Settings, notes: Notes): Settings {
  for (const [option, { value, source }] of fromFile) {
    const other = fromCommandLine.get(option);
    if (other === undefined || other.value === value) continue;
    const taken = `the command line's ${quoted(other.value)} takes its place`;
    notes.remark(source, option === 'connections' ? `${taken}; in pptpd it is the other way round` : taken);
  }
  return new Map([...fromFile, ...fromCommandLine]);
}

interface Carried {
  readonly input: Record<string, unknown>;
  /** Where each key of the input comes from. */
  readonly origins: ReadonlyMap<string, Source>;
}

function carryOver(settings: Settings, fromCommandLine: Settings, fileName: string, notes: Notes): Carried {
  const input: Record<string, unknown> = {};
  const origins = new Map<string, Source>();
  const put = (key: string, value: unknown, source: Source): void => {
    const [section = '', name] = key.split('.');
    if (name === undefined) input[section] = value;
    else input[section] = { ...(input[section] as object | undefined), [name]: value };
    origins.set(key, source);
  };
  const carry = (option: Option, how: (setting: Setting) => void): void => {
    const setting = settings.get(option);
    if (setting === undefined) return;
    if (OPTIONS[option].hasValue && setting.value === '') notes.fault(setting.source, `"${option}" has no value`);
    else how(setting);
  };
  const isOfFile = (option: Option): boolean => !fromCommandLine.has(option);

  carry('listen', ({ value, source }) => put('listen.address', value, source));
  carry('vrf', ({ value, source }) => {
    notes.remark(source, "carried over; Debian's pptpd 1.4.0 does not know it, only patched builds do");
    put('listen.vrf', value, source);
  });
  carryAddresses(settings, put, notes);
  carry('connections', ({ value, source }) => {
    const number = leadingNumber(value, source, notes);
    if (number > 0) put('limits.connections', number, source);
    else if (isOfFile('connections')) notes.remark(source, `pptpd ignores ${quoted(value)}, and 100 stands`);
    else notes.fault(source, `with ${quoted(value)} pptpd lets nobody in; allowed: 1 to 65535`);
  });
  carry('stimeout', ({ value, source }) => {
    if (!isOfFile('stimeout')) {
      put('timeouts.firstMessage', leadingNumber(value, source, notes), source);
    } else if (/^0*[1-9]\d*$/.test(value)) {
      notes.remark(source, `pptpd ignores it in its file, where 10 seconds stand; carried over all the same`);
      put('timeouts.firstMessage', Number(value), source);
    } else {
      notes.remark(source, `not carried over: pptpd ignores it in its file, and ${quoted(value)} is no time`);
    }
  });
  carry('ppp', ({ value, source }) => put('pppd.path', value, source));
  carry('option', ({ value, source }) => put('pppd.options', value, source));
  carry('speed', ({ value, source }) => put('pppd.speed', /^\d+$/.test(value) ? Number(value) : value, source));
  carry('noipparam', ({ source }) => put('pppd.ipparam', false, source));
  carry('logwtmp', ({ source }) => put('pppd.logwtmp', true, source));
  carry('debug', ({ source }) => put('log.level', 'debug', source));

  carry('bcrelay', ({ value, source }) => put('broadcastRelay.interface', value, source));
  carry('pidfile', ({ value, source }) => put('pidFile', value, source));
  carry('conf', ({ value, source }) => {
    if (value !== fileName) notes.remark(source, `names another file (${value}); ${fileName} was read`);
  });
  carry('fg', ({ source }) => notes.remark(source, 'nothing to carry over: `pptpd-ts serve` stays in the foreground'));
  for (const option of ['help', 'version'] as const) {
    carry(option, ({ source }) => notes.remark(source, 'left out: pptpd only prints and ends with it'));
  }
  return { input, origins };
}

/** One of pptpd's ranges: numbers, with a dash in one octet at most. */
const PPTPD_RANGE = /^(?=[^-]*-?[^-]*$)\d+(?:-\d+)?(?:\.\d+(?:-\d+)?){3}$/;

function carryAddresses(
  settings: Settings,
  put: (key: `${string}.${string}`, value: unknown, source: Source) => void,
  notes: Notes,
): void {
  const delegate = settings.get('delegate');
  if (delegate !== undefined) {
    for (const option of ['localip', 'remoteip'] as const) {
      const setting = settings.get(option);
      if (setting !== undefined) notes.remark(setting.source, 'left out: pptpd ignores it with "delegate"');
    }
    put('addresses.local', [], delegate.source);
    put('addresses.delegate', true, delegate.source);
    return;
  }
  const listOf = (option: 'localip' | 'remoteip'): { pieces: string[]; source: Source } => {
    const { value, source } = settings.get(option) ?? { value: PPTPD_ADDRESSES[option], source: NOWHERE };
    const pieces = value.split(',');
    const unusual = pieces.filter((piece) => !PPTPD_RANGE.test(piece));
    if (unusual.length > 0 && expandRanges(pieces).ok) {
      notes.remark(source, `carried over, though pptpd would not start with ${unusual.map(quoted).join(', ')}`);
    }
    return { pieces: pieces.map((piece) => piece.trim()), source };
  };
  const [local, remote] = [listOf('localip'), listOf('remoteip')];
  put('addresses.local', local.pieces, local.source);
  put('addresses.remote', remote.pieces, remote.source);

  const [locals, remotes] = [expandRanges(local.pieces), expandRanges(remote.pieces)];
  if (!locals.ok || !remotes.ok) return;
  const count = locals.addresses.length;
  if (count === 1 || count >= remotes.addresses.length) return;
  notes.remark(
    remote.source,
    `only the first ${count} of ${remotes.addresses.length} addresses are carried over: pptpd serves no more clients than localip has addresses`,
  );
  put('addresses.remote', rangesOf(remotes.addresses.slice(0, count)), remote.source);
}

/** As atoi(3) reads it: the digits at the front, or 0. */
function leadingNumber(value: string, source: Source, notes: Notes): number {
  const digits = /^[+-]?\d+/.exec(value)?.[0] ?? '0';
  if (digits !== value && Number(digits) > 0) notes.remark(source, `pptpd reads ${quoted(value)} as ${Number(digits)}`);
  return Number(digits);
}

/** A word of the file for a message: control characters must not reach the terminal. */
const quoted = (word: string): string => JSON.stringify(word.length <= 60 ? word : `${word.slice(0, 59)}…`);
