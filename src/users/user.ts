/**
 * The accounts file: every field of a user with its allowed values and meaning. A field that a user does not have is left
 * out. Times are in seconds; 0 means no limit.
 */
import * as z from 'zod';
import { addressNumber } from '../config/addresses.js';
import { ntHash } from '../mschap/password-hash.js';
import { timeOf } from './expiry.js';
import { PERIODS } from './quota.js';
import { MAX_TIMER_SECONDS } from '../sys/clock.js';

/** Octets of a name in CHAP (RFC 1994 §4.1), and characters of a password (RFC 2759 §8). */
const MAX_NAME = 255;
const MAX_PASSWORD = 256;

const isControl = (code: number): boolean => code < 0x20 || code === 0x7f;
const hasControl = (text: string): boolean => Array.from(text).some((each) => isControl(each.codePointAt(0) ?? 0));

const duration = z.number().min(0).max(MAX_TIMER_SECONDS);

/** A slower login would not succeed; a faster link needs no limit. */
const bitRate = z.int().min(8000).max(100_000_000_000);

const NAME = `1 to ${MAX_NAME} octets without control characters`;
const name = z
  .string()
  .refine((text) => text !== '' && Buffer.byteLength(text) <= MAX_NAME && !hasControl(text))
  .meta({ title: NAME });

const PASSWORD = `1 to ${MAX_PASSWORD} characters without control characters`;
const password = z
  .string()
  .refine((text) => text !== '' && text.length <= MAX_PASSWORD && !hasControl(text))
  .meta({ title: PASSWORD });

const NETWORK = 'a network without host bits, for example 198.51.100.0/24';

/** Not 0.0.0.0/0, which would replace the server's own default route. */
export function isNetwork(text: string): boolean {
  const [, host = '', bits = ''] = /^([\d.]+)\/([1-9]|[12]\d|3[0-2])$/.exec(text) ?? [];
  const number = addressNumber(host);
  return number !== null && number % 2 ** (32 - Number(bits)) === 0;
}

/** A day, which begins at midnight of the server's time, or a time with its zone. */
const TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/;
const isTime = (text: string): boolean => TIME.test(text) && !Number.isNaN(timeOf(text)) && isDay(text.slice(0, 10));
const time = z
  .string()
  .refine(isTime)
  .meta({ title: 'a day (2027-01-31) or a time with its zone (2027-01-31T18:00Z, 2027-01-31T18:00+01:00)' });

/** JavaScript takes 2027-02-30 for March 2. */
const isDay = (day: string): boolean => new Date(`${day}T00:00Z`).toISOString().startsWith(day);

export const userSchema = z
  .strictObject({
    name: name.describe('As the client sends it. Upper and lower case differ.'),
    ntHash: z
      .string()
      .regex(/^[0-9a-f]{32}$/)
      .meta({ title: '32 hexadecimal digits in lower case, which `pptpd-ts users passwd NAME` writes' })
      .describe('The NT hash of the password. It is enough to log in as this user, so keep it secret.'),
    password: password
      .optional()
      .describe('The password itself. Only CHAP-MD5 needs it. `users passwd --store-password` writes it.'),
    address: z
      .string()
      .refine((text) => addressNumber(text) !== null)
      .meta({ title: 'an IPv4 address, for example 192.0.2.1' })
      .optional()
      .describe("The client's address in the tunnel. Left out: one of the pool `addresses.remote`."),
    disabled: z.boolean().optional().describe('`true`: the user cannot log in.'),
    expires: time.optional().describe('When the account expires: the user then cannot log in, and its sessions end.'),
    expiresAfter: z
      .int()
      .min(1)
      .max(3_153_600_000)
      .optional()
      .describe('Seconds from the first login until the account expires.'),
    firstLogin: time
      .optional()
      .describe('Time of the first login, from which `expiresAfter` counts. The server writes it.'),
    sessions: z
      .int()
      .min(0)
      .max(65_535)
      .optional()
      .describe('Maximum number of sessions, instead of `policy.sessionsPerUser`.'),
    sessionTime: duration.optional().describe('Instead of `policy.sessionTime`.'),
    idleTime: duration.optional().describe('Instead of `policy.idleTime`.'),
    speed: z
      .strictObject({ up: bitRate.optional(), down: bitRate.optional() })
      .optional()
      .describe('Bits per second from the client (`up`) and to it (`down`); left out: no limit.'),
    quota: z
      .strictObject({ octets: z.int().min(1).max(Number.MAX_SAFE_INTEGER), per: z.enum(PERIODS) })
      .optional()
      .describe('Limit of octets in the tunnel, both directions together, per `day`, `month` or in `total`.'),
    routes: z
      .array(z.string().refine(isNetwork).meta({ title: NETWORK }))
      .max(32)
      .optional()
      .describe('Networks behind the client. The server routes them to the client while it is connected.'),
    note: z.string().max(1000).meta({ title: 'at most 1000 characters' }).optional().describe('For the administrator.'),
  })
  .superRefine((user, context) => {
    if (user.password === undefined || hashOf(user.password) === user.ntHash) return;
    const reason = 'it is not the password of ntHash';
    const allowed = 'the password of ntHash; `pptpd-ts users passwd --store-password` writes both';
    context.addIssue({ code: 'custom', path: ['password'], params: { reason, allowed } });
  });

export type User = z.output<typeof userSchema>;

export const usersSchema = z.strictObject({
  accounts: z.array(userSchema).superRefine((users, context) => {
    const seen = new Set<string>();
    for (const [index, user] of users.entries()) {
      if (seen.has(user.name))
        context.addIssue({
          code: 'custom',
          path: [index, 'name'],
          params: { reason: 'an earlier account has it', allowed: 'a name that no other account has' },
        });
      seen.add(user.name);
    }
  }),
});

/** As `ntHash` has it. */
export const hashOf = (text: string): string => Buffer.from(ntHash(text)).toString('hex');

/** What is wrong with a password; null: nothing. */
export const passwordFault = (text: string): string | null =>
  password.safeParse(text).success ? null : `this password is not allowed; allowed: ${PASSWORD}`;

/** What is wrong with a name; null: nothing. */
export const nameFault = (text: string): string | null =>
  name.safeParse(text).success ? null : `this name is not allowed; allowed: ${NAME}`;
