/**
 * The configuration as data: every key with what is allowed, its default and its meaning. The only source of defaults.
 * Times are in seconds, fractions allowed; 0 in a limit means none.
 */
import { z } from 'zod';
import { LOG_LEVELS } from '../log/level.js';
import { RFC_TIMERS, TCP_PORT } from '../pptp/index.js';
import { addressList, addressNumber, expandRanges, rangesOf } from './addresses.js';

/** Titles say in words what is allowed: of the keys whose kind a number range or a list of values cannot say. */
const address = z
  .string()
  .refine((text) => addressNumber(text) !== null)
  .meta({ title: 'an IPv4 address, for example 192.0.2.1' });

const network = z
  .string()
  .refine((text) => {
    const [host = '', bits, ...rest] = text.split('/');
    return (
      addressNumber(host) !== null &&
      rest.length === 0 &&
      (bits === undefined || (/^\d{1,2}$/.test(bits) && Number(bits) <= 32))
    );
  })
  .meta({ title: 'an IPv4 address or network, for example 192.0.2.0/24' });

const RANGE = 'an address, a range or a block: 192.0.2.1, 192.0.2.1-20, 192.0.2.1-192.0.2.20, 192.0.2.0/24';

const ranges = z
  .union([z.string().meta({ title: RANGE }), z.array(z.string().meta({ title: RANGE }))])
  .superRefine((value, context) => {
    const expanded = expandRanges(value);
    if (expanded.ok) return;
    for (const { index, range, reason } of expanded.problems) {
      context.addIssue({
        code: 'custom',
        path: index === null ? [] : [index],
        params: { value: range, reason: `it ${reason}` },
      });
    }
  })
  .meta({ title: `an array or a comma list, each ${RANGE}` });

/** Both lists for the rules over both; null while one of them is wrong by itself, or pppd chooses the addresses. */
function addressLists(value: unknown): { local: readonly string[]; remote: readonly string[] } | null {
  const parsed = z.object({ local: ranges, remote: ranges, delegate: z.literal(false) }).safeParse(value);
  if (!parsed.success) return null;
  return { local: addressList(parsed.data.local), remote: addressList(parsed.data.remote) };
}

function checkAddresses(value: unknown, context: z.core.$RefinementCtx): void {
  const lists = addressLists(value);
  if (lists === null) return;
  const { local, remote } = lists;
  const problem = (key: 'local' | 'remote', params: { value: unknown; reason: string; allowed: string }): void =>
    context.addIssue({ code: 'custom', path: [key], params });
  const reason = 'nobody could be given an address';
  if (local.length === 0) problem('local', { value: [], reason, allowed: 'at least one address, without delegate' });
  if (remote.length === 0) problem('remote', { value: [], reason, allowed: 'at least one address, without delegate' });
  if (local.length > 1 && local.length < remote.length) {
    problem('local', {
      value: rangesOf(local).join(','),
      reason: `it makes ${local.length} addresses, and 'remote' ${remote.length}`,
      allowed: "one address for all, or at least as many as 'remote' makes",
    });
  }
  const ofClients = new Set(remote);
  const both = local.filter((text) => ofClients.has(text));
  if (both.length > 0) {
    problem('local', {
      value: rangesOf(both).join(','),
      reason: "it is in 'remote' too",
      allowed: 'addresses that no client gets',
    });
  }
}

const port = z.int().min(1).max(65535);
const seconds = z.number().positive().max(86_400);
/** Up to 23 days, which timers can count; 0: none. */
const duration = z.number().min(0).max(2_000_000);
const limit = z.int().min(0).max(65_535);
const days = z.number().min(0).max(36_500);
const path = z.string().startsWith('/').meta({ title: 'an absolute path' });
/** What the kernel takes for a network device's name. */
export const INTERFACE_NAME = /^[^\s/]{1,15}$/;
const interfaceName = z
  .string()
  .regex(INTERFACE_NAME)
  .meta({ title: "a network device's name, 1 to 15 characters without spaces and slashes" });

const userName = z
  .string()
  .regex(/^(?!root$)[a-z_][a-z0-9_.-]{0,31}$/)
  .meta({ title: "a user's name; leave it out for root" });

export const configurationSchema = z.strictObject({
  listen: z
    .strictObject({
      address: address.default('0.0.0.0').describe('the address to listen on; 0.0.0.0 is every one'),
      port: port.default(TCP_PORT).describe('the TCP port; clients expect 1723'),
      vrf: interfaceName.optional().describe('the VRF device that listener and GRE sockets are bound to'),
    })
    .prefault({}),
  addresses: z
    .strictObject({
      local: ranges
        .default(['192.168.0.1'])
        .describe("our end of the tunnels: one for all, or one for each of 'remote'"),
      remote: ranges.default(['192.168.1.10-100']).describe("the clients' ends, one of which each client gets"),
      delegate: z.boolean().default(false).describe("pppd (RADIUS, chap-secrets) chooses the client's address"),
    })
    .superRefine(checkAddresses, { when: ({ value }) => addressLists(value) !== null })
    .prefault({}),
  limits: z
    .strictObject({
      connections: limit.default(100).describe('most sessions at once'),
      perSource: limit.default(0).describe('most connections of one client address'),
      pending: limit.default(256).describe('most connections that have not sent a start request yet'),
    })
    .prefault({}),
  access: z
    .strictObject({
      allow: z.array(network).default([]).describe('client addresses that may connect; empty: all'),
      deny: z.array(network).default([]).describe('client addresses that may not; the longest prefix decides'),
    })
    .prefault({}),
  timeouts: z
    .strictObject({
      firstMessage: seconds.default(10).describe('for a whole start request'),
      establish: seconds.default(60).describe('for a call on a control connection'),
      echoInterval: seconds.default(RFC_TIMERS.echoInterval).describe('silence of the client before an Echo-Request'),
      echoReply: seconds.default(RFC_TIMERS.echoReply).describe('for its reply'),
      pppdExit: seconds.default(5).describe('for pppd to end by TERM before it gets KILL'),
    })
    .prefault({}),
  pppd: z
    .strictObject({
      path: path.default('/usr/sbin/pppd').describe('pppd, or another program that speaks HDLC on its standard input'),
      options: path.optional().describe("pppd's options file"),
      speed: z.int().min(1).max(4_000_000).default(115200).describe('the line speed that pppd is told'),
      ipparam: z.boolean().default(true).describe("give pppd's scripts the client's address as ipparam"),
      logwtmp: z.boolean().default(false).describe('write login records for who(1) and last(1)'),
      args: z.array(z.string()).default([]).describe('more arguments for pppd'),
    })
    .prefault({}),
  gre: z
    .strictObject({
      window: z
        .enum(['advise', 'enforce'])
        .default('advise')
        .describe("keep to the peer's window (RFC 2637 §4.2), or only measure it"),
    })
    .prefault({}),
  broadcastRelay: z
    .strictObject({ interface: interfaceName.describe('the LAN interface, for example eth1') })
    .optional()
    .describe('relays UDP broadcasts between a LAN interface and the tunnels, and between the tunnels'),
  policy: z
    .strictObject({
      sessionsPerUser: limit.default(0).describe('most sessions of one user who has logged in; 0: no limit'),
      whenExceeded: z
        .enum(['deny', 'replace'])
        .default('deny')
        .describe('who has to go then: the one that comes, or the oldest'),
      failedLogins: limit.default(0).describe('failed logins of one client address until it is blocked; 0: never'),
      failedLoginsWithin: seconds.default(600).describe('the time in which they count'),
      blockFor: seconds.default(600).describe('how long it is blocked'),
      sessionTime: duration.default(0).describe('longest time from login to end; 0: no limit'),
      idleTime: duration.default(0).describe('longest time without data from the client; 0: no limit'),
    })
    .prefault({}),
  workers: z
    .strictObject({
      spare: z.int().min(0).max(64).default(2).describe('ctrl workers kept started for clients to come'),
      sessions: z
        .int()
        .min(1)
        .max(65_535)
        .default(1000)
        .describe('how many clients a ctrl worker serves, one after the other; 1: a process of its own for each'),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z.enum(LOG_LEVELS).default('info'),
      directory: path.optional().describe('one file a process there; else standard output'),
      keepFiles: limit.default(1000).describe('most files of ended sessions in the directory; 0: no limit'),
      keepDays: days.default(30).describe('for how long a file of an ended session stays there; 0: for ever'),
    })
    .prefault({}),
  accounting: z
    .strictObject({
      file: path.describe('where a JSON line for every session is appended at its end'),
      interim: z
        .number()
        .min(0)
        .max(86_400)
        .default(300)
        .describe('seconds between the lines of a session that goes on; 0: none'),
    })
    .optional()
    .describe('what each session has used, as JSON lines'),
  runDirectory: path.default('/run/pptpd-ts').describe('where the live sessions are registered'),
  user: userName
    .optional()
    .describe(
      'the user that the server becomes when root starts it; with a set-uid pppd and its options in /etc/ppp/peers',
    ),
  pidFile: path.optional().describe("where else the manager writes its process id, besides runDirectory's manager.pid"),
  metrics: z
    .strictObject({ address: address.default('127.0.0.1'), port: port.default(9723) })
    .optional()
    .describe('Prometheus metrics over HTTP'),
});

/** The effective configuration, every default filled in. */
export type Configuration = z.output<typeof configurationSchema>;

/** As an administrator writes it: every key may be left out. */
export type ConfigurationInput = z.input<typeof configurationSchema>;

/** The schema as JSON Schema (draft 2020-12), for editors, and for the words in which errors say what is allowed. */
export const configurationJsonSchema = (): z.core.JSONSchema.BaseSchema =>
  z.toJSONSchema(configurationSchema, { io: 'input' });
