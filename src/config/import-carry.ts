/** Converts pptpd's options to keys of our configuration: a table, and the addresses, which depend on each other. */
import { type Notes, quoted, type Source } from './import-notes.js';
import { kindOf, type Option, type Setting, type Settings } from './import-options.js';
import { carryPpp } from './import-ppp.js';
import { importPool } from './import-pool.js';
import { inetAddress, type LookUp, pptpdAddress } from './pptpd-addresses.js';
import { configurationSchema } from './schema.js';
import { INTERFACE_NAME } from './schema/values.js';

/** The machine that pptpd runs on, as far as it matters when pptpd starts. */
export interface PptpdHost {
  readonly lookUp: LookUp;
  readonly isReadable: (path: string) => boolean;
  readonly isExecutable: (path: string) => boolean;
  /** The file's text; null if it cannot be read. No function: the machine cannot be asked. */
  readonly read?: (path: string) => string | null;
}

const isPlainPath = (path: string): boolean => /^\/\S*$/.test(path);

/** A machine that cannot be asked: it knows no host names, and every plain path is taken as usable. */
export const ELSEWHERE: PptpdHost = { lookUp: () => null, isReadable: isPlainPath, isExecutable: isPlainPath };

export interface Imports {
  readonly settings: Settings;
  /** Options that a line was meant to set although pptpd ignores that line. */
  readonly lost: ReadonlyMap<Option, Source>;
  readonly fileName: string;
  readonly host: PptpdHost;
  readonly notes: Notes;
}

export interface Carried {
  readonly input: Record<string, unknown>;
  /** Where each key of the input comes from. */
  readonly origins: ReadonlyMap<string, Source>;
}

interface Target extends Imports {
  readonly connections: Connections;
  /** `key` is a path such as `pppd.speed`. */
  readonly put: (key: string, value: unknown, source: Source) => void;
}

export function carryOver(imports: Imports): Carried {
  const input: Record<string, unknown> = {};
  const origins = new Map<string, Source>();
  const target: Target = {
    ...imports,
    connections: readConnections(imports),
    put: (key, value, source) => {
      const [section = '', name] = key.split('.');
      if (name === undefined) input[section] = value;
      else input[section] = { ...(input[section] as object | undefined), [name]: value };
      origins.set(key, source);
    },
  };
  carryAddresses(target);
  for (const [option, carry] of Object.entries(CARRIED) as [keyof typeof CARRIED, Carry][]) {
    const setting = imports.settings.get(option);
    if (setting !== undefined && hasItsValue(option, setting, target)) carry(setting, target);
  }
  const inOrder = Object.keys(configurationSchema.shape).filter((key) => Object.hasOwn(input, key));
  return { input: Object.fromEntries(inOrder.map((key) => [key, input[key]])), origins };
}

/** Notes what pptpd does if the value is missing. */
function hasItsValue(option: Option, { value, source }: Setting, { notes }: Target): boolean {
  const without = kindOf(option).withoutValue;
  if (value.trim() !== '' || without === undefined) return true;
  const text = `"${option}" has no value; ${without.text}`;
  if (without.starts) notes.remark(source, text);
  else notes.fault(source, text);
  return false;
}

type Carry = (setting: Setting, target: Target) => void;

/** All but the addresses. */
const CARRIED = {
  listen: (setting, target) => {
    const { value, source } = setting;
    const { notes, host, put } = target;
    noteCr(setting, target);
    const address = pptpdAddress(value, host.lookUp);
    if (address === null) {
      notes.fault(
        source,
        `pptpd would not start: ${quoted(value)} is not an address, and this machine knows no host of that name`,
      );
      return;
    }
    if (inetAddress(value) === null) {
      notes.remark(source, `pptpd looks up ${quoted(value)} at its start; written: ${address}, its current address`);
    } else if (address !== value.trim()) {
      notes.remark(source, `pptpd reads ${quoted(value.trim())} as ${address}; written: ${address}`);
    }
    put('listen.address', address, source);
  },
  vrf: (setting, target) => {
    const { value, source, from } = setting;
    const { notes, put } = target;
    const debians =
      from === 'file' ? "Debian's pptpd 1.4.0 ignores it" : "Debian's pptpd 1.4.0 would not start with it";
    noteCr(setting, target);
    if (INTERFACE_NAME.test(value.trim())) {
      notes.remark(source, `carried over; ${debians}; only patched builds support it`);
      put('listen.vrf', value.trim(), source);
    } else {
      notes.remark(
        source,
        `left out: ${quoted(value)} is not a device name; ${debians}; only patched builds support it`,
      );
    }
  },
  connections: (setting, target) => {
    const { written } = target.connections;
    if (written !== null) target.put('limits.connections', written, setting.source);
  },
  stimeout: (setting, target) => {
    const { value, source, from } = setting;
    const { notes, put } = target;
    if (from === 'command line') {
      put('timeouts.firstMessage', leadingNumber(setting, notes), source);
    } else if (/^0*[1-9]\d*$/.test(value.trim())) {
      notes.remark(source, 'pptpd ignores it in its file and uses 10 seconds; carried over nevertheless');
      put('timeouts.firstMessage', Number(value), source);
    } else {
      notes.remark(source, `left out: pptpd ignores it in its file, and ${quoted(value)} is not a time`);
    }
  },
  ppp: (setting, target) => {
    carryPath('pppd.path', setting, target.host.isExecutable, target);
  },
  option: (setting, target) => {
    const path = carryPath('pppd.options', setting, target.host.isReadable, target);
    const { lookUp, read, isReadable } = target.host;
    if (read !== undefined && isReadable(path)) carryPpp(path, setting.source, { ...target, host: { lookUp, read } });
  },
  speed: carrySpeed,
  noipparam: ({ source }, { put }) => put('pppd.ipparam', false, source),
  logwtmp: ({ source }, { put }) => put('pppd.logwtmp', true, source),
  debug: ({ source }, { put }) => put('log.level', 'debug', source),
  bcrelay: carryBroadcastRelay,
  pidfile: ({ value, source }, { notes, put }) => {
    const path = bare(value);
    if (!path.startsWith('/')) {
      notes.remark(
        source,
        `left out: pptpd writes it to the directory in which it runs; pptpd-ts always writes manager.pid to its run directory`,
      );
      return;
    }
    if (path !== value) notes.remark(source, `pptpd names the file ${quoted(value)}; written: ${path}`);
    put('pidFile', path, source);
  },
  conf: ({ value, source }, { notes, fileName }) => {
    if (value !== fileName) notes.remark(source, `names another file (${value}); ${fileName} was read`);
  },
  fg: ({ source }, { notes }) => notes.remark(source, 'left out: `pptpd-ts serve` always runs in the foreground'),
  help: ({ source }, { notes }) => notes.remark(source, 'left out: pptpd only prints its help and exits'),
  version: ({ source }, { notes }) => notes.remark(source, 'left out: pptpd only prints its version and exits'),
} satisfies { readonly [Key in Option]?: Carry };

function noteCr({ value, source }: Setting, { notes }: Target): void {
  if (!value.endsWith('\r')) return;
  notes.remark(
    source,
    'the line ends in CR (a DOS line end), which pptpd reads as part of the value; carried over without it',
  );
}

/** The value without a trailing comment and trailing blanks. */
const bare = (value: string): string => value.replace(/\s+#.*$|\s+$/s, '');

/** A file that must exist when pptpd starts, and that is returned. pptpd takes the whole rest of the line as its name. */
function carryPath(
  key: string,
  { value, source }: Setting,
  isUsable: (path: string) => boolean,
  { notes, put }: Target,
): string {
  const path = isUsable(value) ? value : bare(value);
  if (path.startsWith('/') && path !== value) {
    notes.remark(source, `pptpd would not start: there is no file ${quoted(value)}; written: ${path}`);
  } else if (path.startsWith('/') && !isUsable(path)) {
    notes.remark(source, `pptpd would not start: it cannot use ${path} on this machine; carried over nevertheless`);
  }
  put(key, path, source);
  return path;
}

function carrySpeed({ value, source }: Setting, { notes, put }: Target): void {
  const [whole, digits] = /^(\d+)(?:\s.*)?$/s.exec(value) ?? [];
  if (whole === undefined) {
    put('pppd.speed', value, source);
    return;
  }
  const speed = Number(digits);
  if (speed < 1 || speed > MAX_SPEED) {
    notes.remark(
      source,
      `left out: pptpd passes the speed ${digits} to pppd; here only 1 to ${MAX_SPEED} is allowed, and 115200 is the default`,
    );
    return;
  }
  if (digits !== value) {
    notes.remark(source, `pptpd passes ${quoted(value)} to pppd, which then serves no client; written: ${speed}`);
  }
  put('pppd.speed', speed, source);
}

/** The maximum in our configuration. */
const MAX_SPEED = 4_000_000;

/** bcrelay takes an interface as a pattern, in which these characters are special. */
const PATTERN = /[[\](){}*+?^$|\\]/;

/** People write these words to turn the relay off, but bcrelay looks for a device of that name. */
const OFF: ReadonlySet<string> = new Set(['disable', 'disabled', 'no', 'none', 'off', 'false', '0']);

function carryBroadcastRelay({ value, source }: Setting, { notes, put }: Target): void {
  if (OFF.has(value.toLowerCase())) {
    notes.remark(source, `left out: pptpd looks for a network device ${quoted(value)}, finds none and relays nothing`);
  } else if (!INTERFACE_NAME.test(value)) {
    notes.remark(
      source,
      `left out: pptpd takes all of ${quoted(value)} as the name of a network device, finds none and relays nothing; to relay, set broadcastRelay.interface`,
    );
  } else if (PATTERN.test(value)) {
    notes.remark(
      source,
      `left out: pptpd takes ${quoted(value)} as a pattern of names; to relay, set broadcastRelay.interface to one name`,
    );
  } else put('broadcastRelay.interface', value, source);
}

/** The addresses that pptpd uses if its file has none. */
const DEFAULT_ADDRESSES = { localip: '192.168.0.1-100', remoteip: '192.168.1.1-100' } as const;

function carryAddresses(target: Target): void {
  const { settings, connections, notes, host, put } = target;
  const delegate = settings.get('delegate');
  if (delegate !== undefined) {
    for (const option of ['localip', 'remoteip', 'connections'] as const) {
      const setting = settings.get(option);
      const limit = option === 'connections' ? ' and has no limit' : '';
      if (setting !== undefined) {
        notes.remark(setting.source, `left out: with "delegate" pptpd ignores it${limit}`);
      }
    }
    put('addresses.local', [], delegate.source);
    put('addresses.delegate', true, delegate.source);
    put('limits.connections', 0, delegate.source);
    return;
  }
  const [localip, remoteip] = [listOf('localip', target), listOf('remoteip', target)];
  if (localip === null || remoteip === null) return;
  const pool = importPool({ localip, remoteip, connections }, host.lookUp, notes);
  if (pool === null) return;
  put('addresses.local', pool.local, localip.source);
  put('addresses.remote', pool.remote, remoteip.source);
}

/** The list in the file, or else pptpd's default; null if the option has no value. */
function listOf(option: 'localip' | 'remoteip', target: Target): Setting | null {
  const { settings, lost, notes, fileName } = target;
  const setting = settings.get(option);
  if (setting !== undefined) {
    if (!hasItsValue(option, setting, target)) return null;
    noteCr(setting, target);
    return setting;
  }
  const lostLine = lost.get(option);
  const source = lostLine ?? { text: fileName, line: Number.POSITIVE_INFINITY };
  const value = DEFAULT_ADDRESSES[option];
  const each = option === 'localip' ? ', a different one for each client' : '';
  const no = lostLine === undefined ? `no line sets "${option}"` : `so no line sets "${option}"`;
  notes.remark(source, `${no}: pptpd uses ${value}${each}; carried over`);
  return { value, source, from: 'file' };
}

interface Connections {
  /** Maximum number of clients, if there are enough addresses. */
  readonly most: number;
  readonly where: string;
  /** The value of `limits.connections`; null: leave it out. */
  readonly written: number | null;
}

const DEFAULT_CONNECTIONS = 100;

/** The maximum in our configuration: PPTP has no more call ids. */
const MAX_CONNECTIONS = 65_535;

function readConnections({ settings, notes }: Imports): Connections {
  const setting = settings.get('connections');
  const byDefault = { most: DEFAULT_CONNECTIONS, where: `${DEFAULT_CONNECTIONS} by default`, written: null };
  if (setting === undefined || settings.has('delegate')) return byDefault;
  const { value, source, from } = setting;
  const number = leadingNumber(setting, notes);
  if (number <= 0) {
    if (from === 'file') notes.remark(source, `pptpd ignores ${quoted(value)} and uses ${DEFAULT_CONNECTIONS}`);
    else notes.fault(source, `with ${quoted(value)} pptpd accepts no client; allowed: 1 to ${MAX_CONNECTIONS}`);
    return byDefault;
  }
  const written = Math.min(number, MAX_CONNECTIONS);
  if (written < number) {
    notes.remark(source, `written: ${written} instead of ${number}, because PPTP has no more call ids`);
  }
  return { most: written, where: source.text, written };
}

const LONG_MAX = 2n ** 63n - 1n;

/** The value as atoi(3) reads it: the leading digits as an int, or 0. */
function leadingNumber({ value, source }: Setting, notes: Notes): number {
  const digits = /^[+-]?\d+/.exec(value)?.[0] ?? '0';
  const long = BigInt(digits.replace('+', ''));
  const number = Number(BigInt.asIntN(32, long > LONG_MAX ? LONG_MAX : long));
  if (number > 0 && (digits !== value.trim() || number !== Number(digits))) {
    notes.remark(source, `pptpd reads ${quoted(value)} as ${number}`);
  }
  return number;
}
