/** The options by which `pptpd-ts users add` and `set` change the fields of a user. */
import { isIPv4 } from 'node:net';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Period, PERIODS } from '../../users/quota.js';
import { isNetwork, type User } from '../../users/user.js';
import { type Field, type FieldChanges, FIELDS } from '../../users/user-store.js';
import { MAX_TIMER_SECONDS } from '../../sys/clock.js';

const SECONDS = { s: 1, min: 60, m: 60, h: 3600, d: 86_400 } as const;
const MAX_SESSIONS = 65_535;
const MAX_ROUTES = 32;
/** A hundred years, s. */
const MAX_LIFE = 3_153_600_000;

/** The field is removed. commander takes null for a value that is missing. */
const NONE = Symbol('none');

/** `90min`, `12h`, `30d`; seconds. null: it is no duration. */
function secondsOf(text: string): number | null {
  const [, count, unit] = /^(\d+(?:\.\d+)?) ?(s|min|m|h|d)$/.exec(text) ?? [];
  return count === undefined ? null : Number(count) * SECONDS[unit as keyof typeof SECONDS];
}

function duration(text: string): number | typeof NONE {
  if (text === 'default') return NONE;
  const seconds = text === '0' ? 0 : secondsOf(text);
  if (seconds === null || seconds > MAX_TIMER_SECONDS)
    throw new InvalidArgumentError(
      'not a duration: write 90min, 12h, 7d (23 days at most), 0 for no limit, or default',
    );
  return seconds;
}

function address(text: string): string | typeof NONE {
  if (text === 'any') return NONE;
  if (!isIPv4(text)) throw new InvalidArgumentError('not an IPv4 address: write 192.0.2.7, or any');
  return text;
}

function sessions(text: string): number | typeof NONE {
  if (text === 'default') return NONE;
  if (!/^\d{1,5}$/.test(text) || Number(text) > MAX_SESSIONS)
    throw new InvalidArgumentError(`not a number up to ${MAX_SESSIONS}: write 0 for no limit, or default`);
  return Number(text);
}

/** A point in time as the accounts file has it, or `30d` from now. */
function expires(text: string): string | typeof NONE {
  if (text === 'never') return NONE;
  const seconds = secondsOf(text);
  if (seconds !== null && seconds <= MAX_LIFE) return new Date(Date.now() + seconds * 1000).toISOString();
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text);
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)?$/.test(text);
  const time = Date.parse(isDay ? `${text}T00:00` : text);
  const isRight = (isDay || isTime) && !Number.isNaN(time) && dayExists(text.slice(0, 10));
  if (!isRight) throw new InvalidArgumentError('not a time: write 2027-01-31, 2027-01-31T18:00, 30d, or never');
  return isDay ? text : new Date(time).toISOString();
}

/** JavaScript takes 2027-02-30 for March 2. */
function dayExists(day: string): boolean {
  const date = new Date(`${day}T00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}

function expiresAfter(text: string): number | typeof NONE {
  if (text === 'never') return NONE;
  const seconds = secondsOf(text);
  if (seconds === null || seconds < 1 || seconds > MAX_LIFE)
    throw new InvalidArgumentError('not a duration: write 12h, 30d, or never');
  return Math.round(seconds);
}

const BITS = { k: 1000, M: 1_000_000, G: 1_000_000_000 } as const;
const SLOWEST = 8000;
const FASTEST = 100_000_000_000;

function bitsOf(text: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)([kMG])$/.exec(text) ?? [];
  const bits = Math.round(Number(count) * BITS[unit as keyof typeof BITS]);
  if (count === undefined || bits < SLOWEST || bits > FASTEST)
    throw new InvalidArgumentError(
      'not a speed from 8k to 100G bits per second: write 512k, 20M, up=5M,down=20M, or none',
    );
  return bits;
}

/** `20M` both ways, or `up=5M,down=20M`, one of which may be left out. */
function speed(text: string): User['speed'] | typeof NONE {
  if (text === 'none') return NONE;
  const parts = text.split(',').map((part) => /^(up|down)=(.+)$/.exec(part) ?? []);
  const named = Object.fromEntries(parts.map(([, way = '', bits = '']) => [way, bits]));
  if (Object.keys(named).length < parts.length || parts.some(([, way]) => way === undefined)) {
    const both = bitsOf(text);
    return { up: both, down: both };
  }
  return Object.fromEntries(Object.entries(named).map(([way, bits]) => [way, bitsOf(bits)]));
}

/** As sizes are shown. */
const OCTETS = { k: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 } as const;

/** `5G/month`; without a period the quota is for all time. */
function quota(text: string): User['quota'] | typeof NONE {
  if (text === 'none') return NONE;
  const [, count, unit, per = 'total'] = /^(\d+(?:\.\d+)?)([kMGT])(?:\/(\w+))?$/.exec(text) ?? [];
  const octets = Math.round(Number(count) * OCTETS[unit as keyof typeof OCTETS]);
  if (!isPeriod(per) || !Number.isSafeInteger(octets) || octets < 1)
    throw new InvalidArgumentError('not a quota: write 500M/day, 5G/month, 1T/total, or none');
  return { octets, per };
}

const isPeriod = (text: string): text is Period => (PERIODS as readonly string[]).includes(text);

function routes(text: string): string[] | typeof NONE {
  if (text === 'none') return NONE;
  const networks = text.split(',');
  if (networks.length > MAX_ROUTES || !networks.every(isNetwork))
    throw new InvalidArgumentError('not a list of networks: write 198.51.100.0/24,203.0.113.0/24, or none');
  return networks;
}

function note(text: string): string | typeof NONE {
  if (text.length > 1000) throw new InvalidArgumentError('longer than 1000 characters: write a shorter text');
  return text === '' ? NONE : text;
}

export const addUserOptions = (command: Command): Command =>
  command
    .option('--address <address>', "the client's address in the tunnel; any: one of the pool", address)
    .addOption(
      new Option('--expires <time>', 'when the account expires: 2027-01-31, 2027-01-31T18:00, 30d (from now), never')
        .argParser(expires)
        .conflicts('expiresAfter'),
    )
    .option(
      '--expires-after <duration>',
      'how long after its first login the account expires: 12h, 30d, never',
      expiresAfter,
    )
    .option('--sessions <number>', 'maximum number of sessions; 0: no limit; default: policy.sessionsPerUser', sessions)
    .option('--session-time <duration>', 'longest session: 8h; 0: no limit; default: policy.sessionTime', duration)
    .option(
      '--idle-time <duration>',
      'longest time without data: 30min; 0: no limit; default: policy.idleTime',
      duration,
    )
    .option('--speed <speed>', 'bits per second: 20M in each direction, up=5M,down=20M, none', speed)
    .option(
      '--quota <quota>',
      'octets in the tunnel, both directions together: 500M/day, 5G/month, 1T/total, none',
      quota,
    )
    .option('--routes <networks>', 'networks behind the client, separated by commas; none: no networks', routes)
    .option('--note <text>', 'a text for administrators; an empty one removes it', note);

/** Of the options that are given. */
export const changesOf = (options: Readonly<Partial<Record<Field, unknown>>>): FieldChanges =>
  Object.fromEntries(
    FIELDS.flatMap((field) => {
      const value = options[field];
      return value === undefined ? [] : [[field, value === NONE ? null : value]];
    }),
  );
