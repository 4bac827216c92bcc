/** What each of pptpd's options becomes in our configuration: a table, and the addresses, which are read together. */
import { type Notes, quoted, type Source } from './import-notes.js';
import { kindOf, type Option, type Setting, type Settings } from './import-options.js';
import { importPool } from './import-pool.js';
import { inetAddress, type LookUp, pptpdAddress } from './pptpd-addresses.js';
import { configurationSchema, INTERFACE_NAME } from './schema.js';

/** What pptpd looks at when it starts, besides its file. */
export interface PptpdHost {
  readonly lookUp: LookUp;
  readonly isReadable: (path: string) => boolean;
  readonly isExecutable: (path: string) => boolean;
}

const isPlainPath = (path: string): boolean => /^\/\S*$/.test(path);

/** A machine that is not at hand: no host is known there, and every plain path is believed. */
export const ELSEWHERE: PptpdHost = { lookUp: () => null, isReadable: isPlainPath, isExecutable: isPlainPath };

export interface Imports {
  readonly settings: Settings;
  /** Lines that were meant to set something and that pptpd ignores. */
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

/** Says what pptpd does when the value is missing. */
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
    sayCr(setting, target);
    const address = pptpdAddress(value, host.lookUp);
    if (address === null) {
      notes.fault(
        source,
        `pptpd would not start: ${quoted(value)} is no address, and no host of that name is known here`,
      );
      return;
    }
    if (inetAddress(value) === null) {
      notes.remark(source, `pptpd looks up ${quoted(value)} when it starts; written: ${address}, its address now`);
    } else if (address !== value.trim()) {
      notes.remark(source, `pptpd takes ${address} from ${quoted(value.trim())}; written: ${address}`);
    }
    put('listen.address', address, source);
  },
  vrf: (setting, target) => {
    const { value, source, from } = setting;
    const { notes, put } = target;
    const debians =
      from === 'file' ? "Debian's pptpd 1.4.0 ignores it" : "Debian's pptpd 1.4.0 would not start with it";
    sayCr(setting, target);
    if (INTERFACE_NAME.test(value.trim())) {
      notes.remark(source, `carried over; ${debians}, only patched builds know it`);
      put('listen.vrf', value.trim(), source);
    } else {
      notes.remark(source, `left out: ${quoted(value)} is no device's name; ${debians}, only patched builds know it`);
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
      notes.remark(source, 'pptpd ignores it in its file, where 10 seconds stand; carried over all the same');
      put('timeouts.firstMessage', Number(value), source);
    } else {
      notes.remark(source, `not carried over: pptpd ignores it in its file, and ${quoted(value)} is no time`);
    }
  },
  ppp: (setting, target) => carryPath('pppd.path', setting, target.host.isExecutable, target),
  option: (setting, target) => carryPath('pppd.options', setting, target.host.isReadable, target),
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
        `left out: pptpd writes it in the directory that it runs in; pptpd-ts always writes manager.pid in its run directory`,
      );
      return;
    }
    if (path !== value) notes.remark(source, `pptpd names its file ${quoted(value)}; written: ${path}`);
    put('pidFile', path, source);
  },
  conf: ({ value, source }, { notes, fileName }) => {
    if (value !== fileName) notes.remark(source, `names another file (${value}); ${fileName} was read`);
  },
  fg: ({ source }, { notes }) =>
    notes.remark(source, 'nothing to carry over: `pptpd-ts serve` stays in the foreground'),
  help: ({ source }, { notes }) => notes.remark(source, 'left out: pptpd only prints and ends with it'),
  version: ({ source }, { notes }) => notes.remark(source, 'left out: pptpd only prints and ends with it'),
} satisfies { readonly [Key in Option]?: Carry };

function sayCr({ value, source }: Setting, { notes }: Target): void {
  if (!value.endsWith('\r')) return;
  notes.remark(source, 'it ends in CR (a DOS line end), which pptpd takes into the value; carried over without it');
}

/** Without a comment behind it, and without what is blank at its end. */
const bare = (value: string): string => value.replace(/\s+#.*$|\s+$/s, '');

/** A file that pptpd wants to have when it starts; it takes the whole rest of the line for the name. */
function carryPath(
  key: string,
  { value, source }: Setting,
  isUsable: (path: string) => boolean,
  { notes, put }: Target,
): void {
  const path = isUsable(value) ? value : bare(value);
  if (path.startsWith('/') && path !== value) {
    notes.remark(source, `pptpd would not start: there is no file ${quoted(value)}; written: ${path}`);
  } else if (path.startsWith('/') && !isUsable(path)) {
    notes.remark(source, `pptpd would not start: it could not use ${path} on this machine; written all the same`);
  }
  put(key, path, source);
}

function carrySpeed({ value, source }: Setting, { notes, put }: Target): void {
  const [whole, digits] = /^(\d+)(?:\s.*)?$/s.exec(value) ?? [];
  if (whole === undefined) {
    put('pppd.speed', value, source);
    return;
  }
  const speed = Number(digits);
  if (speed < 1 || speed > MAX_SPEED) {
    notes.remark(source, `left out: pptpd tells pppd the speed ${digits}, which a tunnel does not have; 115200 stands`);
    return;
  }
  if (digits !== value) {
    notes.remark(
      source,
      `pptpd gives pppd the word ${quoted(value)}, with which pppd serves nobody; written: ${speed}`,
    );
  }
  put('pppd.speed', speed, source);
}

/** The highest that our configuration allows. */
const MAX_SPEED = 4_000_000;

/** For bcrelay an interface is a pattern; these characters would mean something in one. */
const PATTERN = /[[\](){}*+?^$|\\]/;

/** No devices: people write this, and bcrelay looks for a device of the name. */
const OFF: ReadonlySet<string> = new Set(['disable', 'disabled', 'no', 'none', 'off', 'false', '0']);

function carryBroadcastRelay({ value, source }: Setting, { notes, put }: Target): void {
  if (OFF.has(value.toLowerCase())) {
    notes.remark(source, `left out: pptpd looks for a network device ${quoted(value)}, finds none and relays nothing`);
  } else if (!INTERFACE_NAME.test(value)) {
    notes.remark(
      source,
      `left out: pptpd takes all of ${quoted(value)} for the name of a network device, finds none and relays nothing; set broadcastRelay.interface for a relay`,
    );
  } else if (PATTERN.test(value)) {
    notes.remark(
      source,
      `left out: pptpd takes ${quoted(value)} for a pattern of names; set broadcastRelay.interface to one of them`,
    );
  } else put('broadcastRelay.interface', value, source);
}

/** What pptpd takes where its file names no addresses. */
const DEFAULT_ADDRESSES = { localip: '192.168.0.1-100', remoteip: '192.168.1.1-100' } as const;

function carryAddresses(target: Target): void {
  const { settings, connections, notes, host, put } = target;
  const delegate = settings.get('delegate');
  if (delegate !== undefined) {
    for (const option of ['localip', 'remoteip', 'connections'] as const) {
      const setting = settings.get(option);
      const limit = option === 'connections' ? '; it has no limit then' : '';
      if (setting !== undefined) {
        notes.remark(setting.source, `left out: pptpd ignores it with "delegate"${limit}`);
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

/** The list that the file gives, or pptpd's own; null when it has no value. */
function listOf(option: 'localip' | 'remoteip', target: Target): Setting | null {
  const { settings, lost, notes, fileName } = target;
  const setting = settings.get(option);
  if (setting !== undefined) {
    if (!hasItsValue(option, setting, target)) return null;
    sayCr(setting, target);
    return setting;
  }
  const lostLine = lost.get(option);
  const source = lostLine ?? { text: fileName, line: Number.POSITIVE_INFINITY };
  const value = DEFAULT_ADDRESSES[option];
  const each = option === 'localip' ? ', a different one for each client' : '';
  const no = lostLine === undefined ? `no line sets "${option}"` : `so no line sets "${option}"`;
  notes.remark(source, `${no}, and pptpd takes ${value}${each}; carried over`);
  return { value, source, from: 'file' };
}

interface Connections {
  /** How many clients pptpd serves at most, if it has the addresses. */
  readonly most: number;
  readonly where: string;
  /** Null when nothing needs to be written. */
  readonly written: number | null;
}

const DEFAULT_CONNECTIONS = 100;

/** The most that our configuration allows: PPTP has no more call ids. */
const MAX_CONNECTIONS = 65_535;

function readConnections({ settings, notes }: Imports): Connections {
  const setting = settings.get('connections');
  const byDefault = { most: DEFAULT_CONNECTIONS, where: `${DEFAULT_CONNECTIONS} by default`, written: null };
  if (setting === undefined || settings.has('delegate')) return byDefault;
  const { value, source, from } = setting;
  const number = leadingNumber(setting, notes);
  if (number <= 0) {
    if (from === 'file') notes.remark(source, `pptpd ignores ${quoted(value)}, and ${DEFAULT_CONNECTIONS} stands`);
    else notes.fault(source, `with ${quoted(value)} pptpd lets nobody in; allowed: 1 to ${MAX_CONNECTIONS}`);
    return byDefault;
  }
  const written = Math.min(number, MAX_CONNECTIONS);
  if (written < number) {
    notes.remark(source, `pptpd counts to ${number}; written: ${written}, because PPTP has no more call ids`);
  }
  return { most: written, where: source.text, written };
}

const LONG_MAX = 2n ** 63n - 1n;

/** As atoi(3) reads it: the digits at the front as an int, or 0. */
function leadingNumber({ value, source }: Setting, notes: Notes): number {
  const digits = /^[+-]?\d+/.exec(value)?.[0] ?? '0';
  const long = BigInt(digits.replace('+', ''));
  const number = Number(BigInt.asIntN(32, long > LONG_MAX ? LONG_MAX : long));
  if (number > 0 && (digits !== value.trim() || number !== Number(digits))) {
    notes.remark(source, `pptpd reads ${quoted(value)} as ${number}`);
  }
  return number;
}
