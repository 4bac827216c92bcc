/** The fields of a user as a form has them: texts that people write, and the values that the API takes. Pure. */
import type { ApiUser } from '../../api/schemas.js';
import { amount, durationInput, parseAmount, parseDuration } from './format.js';

/** What was written cannot be understood; the message is shown in the form. */
export class FormError extends Error {}

type Values = { readonly [Key in keyof ApiUser]?: unknown };

export interface UserField {
  /** In the form. */
  readonly name: string;
  /** The field of the user that it is a part of. */
  readonly keptAs: keyof ApiUser;
  readonly label: string;
  readonly hint?: string;
  /** What an empty field means. */
  readonly empty: string;
  readonly isDay?: true;
  readonly choices?: readonly (readonly [string, string])[];
  readonly isLong?: true;
  /** The text of what the user has; empty: nothing. */
  readonly shows: (user: ApiUser) => string;
  /** The value of a text that is not empty; null: it is not understood. */
  readonly reads: (text: string) => unknown;
}

const number = (text: string): number | null => (/^\d{1,9}$/.test(text) ? Number(text) : null);
const textOf = (value: number | null | undefined, show: (value: number) => string): string =>
  value === null || value === undefined ? '' : show(value);
const DURATION = 'such as 8 h, 30 min; 0: no limit';

export const USER_FIELDS: readonly UserField[] = [
  {
    name: 'address',
    keptAs: 'address',
    label: 'Address in the tunnel',
    empty: 'from the pool',
    shows: ({ address }) => address ?? '',
    reads: (text) => text,
  },
  {
    name: 'expires',
    keptAs: 'expires',
    label: 'Expires',
    empty: 'never',
    isDay: true,
    // The server computes it from `expiresAfter`, which the next field shows.
    shows: ({ expires, expiresAfter }) => (expiresAfter === null ? (expires?.slice(0, 10) ?? '') : ''),
    reads: (text) => (/^\d{4}-\d\d-\d\d$/.test(text) ? text : null),
  },
  {
    name: 'expiresAfter',
    keptAs: 'expiresAfter',
    label: 'Expires after the first login',
    hint: 'such as 30 d, 12 h',
    empty: 'never',
    shows: ({ expiresAfter }) => textOf(expiresAfter, durationInput),
    // 0 would not mean “no limit”.
    reads: (text) => parseDuration(text) || null,
  },
  {
    name: 'speedDown',
    keptAs: 'speed',
    label: 'Speed down',
    hint: 'bit/s, such as 20M',
    empty: 'no limit',
    shows: ({ speed }) => textOf(speed?.down, (bits) => amount(bits, 1000)),
    reads: (text) => parseAmount(text, 1000),
  },
  {
    name: 'speedUp',
    keptAs: 'speed',
    label: 'Speed up',
    hint: 'bit/s, such as 5M',
    empty: 'no limit',
    shows: ({ speed }) => textOf(speed?.up, (bits) => amount(bits, 1000)),
    reads: (text) => parseAmount(text, 1000),
  },
  {
    name: 'quotaOctets',
    keptAs: 'quota',
    label: 'Quota',
    hint: 'octets, such as 50G',
    empty: 'none',
    shows: ({ quota }) => textOf(quota?.octets, (octets) => amount(octets, 1024)),
    reads: (text) => parseAmount(text, 1024),
  },
  {
    name: 'quotaPer',
    keptAs: 'quota',
    label: 'Quota counts',
    empty: '',
    choices: [
      ['month', 'each month'],
      ['day', 'each day'],
      ['total', 'in total'],
    ],
    shows: ({ quota }) => quota?.per ?? 'month',
    reads: (text) => text,
  },
  {
    name: 'sessions',
    keptAs: 'sessions',
    label: 'Sessions at once',
    hint: '0: no limit',
    empty: 'as the server has it',
    shows: ({ sessions }) => textOf(sessions, String),
    reads: number,
  },
  {
    name: 'sessionTime',
    keptAs: 'sessionTime',
    label: 'Longest session',
    hint: DURATION,
    empty: 'as the server has it',
    shows: ({ sessionTime }) => textOf(sessionTime, durationInput),
    reads: parseDuration,
  },
  {
    name: 'idleTime',
    keptAs: 'idleTime',
    label: 'Disconnect when idle for',
    hint: DURATION,
    empty: 'as the server has it',
    shows: ({ idleTime }) => textOf(idleTime, durationInput),
    reads: parseDuration,
  },
  {
    name: 'routes',
    keptAs: 'routes',
    label: 'Networks behind the client',
    hint: 'such as 203.0.113.0/24',
    empty: 'none',
    shows: ({ routes }) => routes?.join(', ') ?? '',
    reads: (text) => text.split(/[\s,]+/).filter((network) => network !== ''),
  },
  {
    name: 'note',
    keptAs: 'note',
    label: 'Note',
    empty: 'for administrators',
    isLong: true,
    shows: ({ note }) => note ?? '',
    reads: (text) => text,
  },
];

export const valueOf = (field: UserField, user: ApiUser): string => field.shows(user);

/** Fields that are one value of the user. */
const JOINED: Readonly<Record<string, (read: (name: string) => unknown) => unknown>> = {
  speed: (read) => {
    const [up, down] = [read('speedUp'), read('speedDown')];
    return up === null && down === null ? null : { ...(up === null ? {} : { up }), ...(down === null ? {} : { down }) };
  },
  quota: (read) => (read('quotaOctets') === null ? null : { octets: read('quotaOctets'), per: read('quotaPer') }),
};

/**
 * What to send: the fields that are other than the user's (`user`: null for a new one); null removes one.
 * @throws {FormError} a text cannot be understood.
 */
export function bodyOf(fields: readonly UserField[], text: (name: string) => string, user: ApiUser | null): Values {
  const read = (name: string): unknown => {
    const field = fields.find((each) => each.name === name);
    const written = text(name).trim();
    if (field === undefined || written === '') return null;
    const value = field.reads(written);
    if (value !== null) return value;
    throw new FormError(`${field.label}: “${written}” is not understood; write it ${field.hint ?? 'as a number'}`);
  };
  if (text('expires').trim() !== '' && text('expiresAfter').trim() !== '')
    throw new FormError('An account expires on a day or some time after its first login: empty one of the two fields');
  const changes: Record<string, unknown> = {};
  for (const keptAs of new Set(fields.map((field) => field.keptAs))) {
    const parts = fields.filter((field) => field.keptAs === keptAs);
    const isChanged = parts.some((field) => text(field.name).trim() !== (user === null ? '' : field.shows(user)));
    const join = JOINED[keptAs];
    const value = join === undefined ? read(keptAs) : join(read);
    // A new user has no field to remove.
    if (isChanged && !(user === null && value === null)) changes[keptAs] = value;
  }
  return changes;
}
