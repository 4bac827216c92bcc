/**
 * The schema of the configuration: every key with its allowed values, default and meaning. The only source of defaults.
 * Times are in seconds and may have fractions; a limit of 0 means no limit.
 */
import { z } from 'zod';
import { LOG_LEVELS } from '../log/level.js';
import { RFC_TIMERS, TCP_PORT } from '../pptp/index.js';
import { addressList, addressNumber, expandRanges, isLoopback, parseNetwork, rangesOf } from './addresses.js';
import { isUplinkName, MAX_DESTINATIONS, parseDestination } from './network.js';
import { USUAL_RUN_DIRECTORY } from './run-directory.js';

/** Titles describe the allowed values where a type, a number range or a list of values cannot. */
const address = z
  .string()
  .refine((text) => addressNumber(text) !== null)
  .meta({ title: 'an IPv4 address, for example 192.0.2.1' });

const network = z
  .string()
  .refine((text) => parseNetwork(text) !== null)
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

/** Both address lists, for the rules that compare them; null if one is invalid or pppd chooses the addresses. */
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
  const reason = 'there would be no address for a client';
  if (local.length === 0)
    problem('local', { value: [], reason, allowed: 'at least one address, unless delegate is true' });
  if (remote.length === 0)
    problem('remote', { value: [], reason, allowed: 'at least one address, unless delegate is true' });
  if (local.length > 1 && local.length < remote.length) {
    problem('local', {
      value: rangesOf(local).join(','),
      reason: `it has ${local.length} addresses, and 'remote' has ${remote.length}`,
      allowed: "one address for all, or at least as many as 'remote' has",
    });
  }
  const ofClients = new Set(remote);
  const both = local.filter((text) => ofClients.has(text));
  if (both.length > 0) {
    problem('local', {
      value: rangesOf(both).join(','),
      reason: "it is in 'remote' too",
      allowed: "addresses that are not in 'remote'",
    });
  }
}

const port = z.int().min(1).max(65535);
const seconds = z.number().positive().max(86_400);
/** Up to 23 days, which is what timers can count; 0: no limit. */
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

const uplink = z
  .string()
  .refine(isUplinkName)
  .meta({ title: "an interface's name of letters, digits and _ . @ : + -, up to 15" });

const destination = z
  .string()
  .refine((text) => parseDestination(text) !== null)
  .meta({ title: 'a network and perhaps ports: 192.0.2.0/24, 192.0.2.1 tcp 443, 192.0.2.1 udp 5000-5010' });

const userName = z
  .string()
  .regex(/^(?!root$)[a-z_][a-z0-9_.-]{0,31}$/)
  .meta({ title: "a user's name; leave the key out for root" });

/** How a client may log in, strongest first. */
export const AUTHENTICATION_METHODS = ['ms-chap-v2', 'ms-chap', 'chap-md5', 'pap'] as const;
export type AuthenticationMethod = (typeof AUTHENTICATION_METHODS)[number];

/** MPPE takes its keys from MS-CHAP (RFC 3079), so no other login can be followed by encryption. */
export const makesKeys = (method: AuthenticationMethod): boolean => method === 'ms-chap-v2' || method === 'ms-chap';

const servers = z.array(address).max(2);
const mtu = z.int().min(128).max(1500);

/** Keys that both engines know have no default here: pppd is passed only what is written (config/ppp-settings). */
const pppSchema = z
  .strictObject({
    engine: z
      .enum(['auto', 'pppd', 'builtin'])
      .default('auto')
      .describe(
        'Who speaks PPP: `pppd`, the server itself (`builtin`), or `auto`: pppd where it is installed and the kernel has PPP, otherwise `builtin`. The other keys apply to both engines. For pppd, a key left out takes its value from the options file.',
      ),
    dataPath: z
      .enum(['auto', 'tun', 'kernel'])
      .default('auto')
      .describe(
        "How packets travel with the builtin engine: through a TUN device (`tun`), through the kernel's PPTP driver (`kernel`, docs/data-paths.md), or `auto`: `kernel` where the modules pptp and ppp_mppe are there, otherwise `tun`.",
      ),
    name: z
      .string()
      .regex(/^[\x21-\x7e]{1,64}$/)
      .meta({ title: '1 to 64 visible ASCII characters' })
      .optional()
      .describe("The server's name, the second column of chap-secrets. builtin: `pptpd`."),
    authentication: z
      .array(z.enum(AUTHENTICATION_METHODS))
      .min(1)
      .optional()
      .describe(
        'How clients may log in: `ms-chap-v2`, `ms-chap`, `chap-md5`, `pap`. The strongest is tried first. builtin: `ms-chap-v2`.',
      ),
    encryption: z
      .enum(['require', 'prefer', 'none'])
      .optional()
      .describe(
        'MPPE: `require` it, use it if the client can (`prefer`; builtin engine only), or `none`. It needs MS-CHAP. builtin: `require`.',
      ),
    encryptionKeys: z
      .array(z.union([z.literal(128), z.literal(56), z.literal(40)]))
      .min(1)
      .optional()
      .describe('Allowed MPPE key lengths, bits: 128, 56 (builtin engine only), 40. builtin: 128.'),
    statefulEncryption: z
      .boolean()
      .optional()
      .describe(
        'Also allow stateful MPPE, for a client that cannot change the key with every packet. builtin: `false`.',
      ),
    stripDomain: z
      .boolean()
      .optional()
      .describe('`true`: `DOMAIN\\user` logs in as `user` of chap-secrets. builtin: `false`.'),
    dns: servers.optional().describe('Up to two name servers for the clients. builtin: none.'),
    wins: servers.optional().describe('Up to two WINS servers for the clients. builtin: none.'),
    mtu: mtu
      .optional()
      .describe(
        'Longest packet to a client, octets. MPPE uses 4 of those octets. Not more than the client allows. builtin: 1400.',
      ),
    mru: mtu.optional().describe('Longest packet that a client may send, octets. builtin: 1400.'),
    lcpEcho: z
      .strictObject({
        interval: z.int().min(0).max(3600).describe('Seconds between LCP Echo-Requests; 0: none. builtin: 30.'),
        failures: z
          .int()
          .min(1)
          .max(100)
          .describe('Number of unanswered requests after which the session ends. builtin: 4.'),
      })
      .optional()
      .describe('How a client that has vanished is noticed. builtin: every 30 s, 4 failures.'),
    ipv6: z.boolean().optional().describe('Also negotiate IPv6 (link-local addresses). builtin: `false`.'),
    proxyArp: z
      .boolean()
      .optional()
      .describe("Answer ARP requests for the clients' addresses on the LAN they belong to. builtin: `false`."),
    secrets: path
      .default('/etc/ppp/chap-secrets')
      .describe("Users and passwords for the builtin engine, in the format of pppd's chap-secrets."),
  })
  .superRefine(({ engine, authentication = [], encryption, encryptionKeys = [] }, context) => {
    const problem = (key: string, value: unknown, reason: string, allowed: string): void =>
      context.addIssue({ code: 'custom', path: [key], params: { value, reason, allowed } });
    const withoutKeys = authentication.filter((method) => !makesKeys(method));
    const encrypts = encryption === 'require' || (encryption === undefined && engine === 'builtin');
    if (encrypts && withoutKeys.length > 0)
      problem(
        'authentication',
        withoutKeys.join(', '),
        'encryption is required, whose keys come from MS-CHAP',
        'ms-chap-v2, ms-chap; or "encryption": "prefer" or "none"',
      );
    if (engine === 'pppd' && encryption === 'prefer')
      problem('encryption', encryption, 'pppd can only require encryption or have none', 'require, none');
    if (engine === 'pppd' && encryptionKeys.includes(56))
      problem('encryptionKeys', 56, 'pppd does not know this key length', '128, 40');
  })
  .prefault({});

/** A client gives up, and the worker's request to the monitor, before longer tries have ended; seconds. */
const MAX_ROUND = 45;

const radiusServer = z.strictObject({
  address: address.describe('Address of the RADIUS server.'),
  authPort: port.default(1812).describe('UDP port for logins.'),
  acctPort: port.default(1813).describe('UDP port for accounting.'),
  secretFile: path.describe(
    'File with the secret shared with this server, in one line. Only root may be able to read it (mode 0600).',
  ),
  timeout: z
    .number()
    .min(0.5)
    .max(30)
    .default(3)
    .describe('Seconds to wait for an answer before the request is sent again.'),
  tries: z.int().min(1).max(10).default(3).describe('How often a request is sent before the next server is asked.'),
});

const radiusSchema = z.strictObject({
  servers: z
    .array(radiusServer)
    .min(1)
    .max(8)
    .superRefine((all, context) => {
      const together = all.reduce((sum, { timeout, tries }) => sum + timeout * tries, 0);
      if (together > MAX_ROUND)
        context.addIssue({
          code: 'custom',
          params: {
            value: together,
            reason: 'seconds for all tries of all servers, and clients wait no longer than 45',
            allowed: 'timeout * tries of all servers together up to 45',
          },
        });
    })
    .describe('The RADIUS servers. The first that answers is taken; one that did not answer is asked last for 60 s.'),
  nasIdentifier: z
    .string()
    .regex(/^[\x21-\x7e]{1,64}$/)
    .meta({ title: '1 to 64 visible ASCII characters' })
    .default('pptpd-ts')
    .describe('By which the RADIUS servers tell servers apart (NAS-Identifier). Each server needs its own.'),
  requireMessageAuthenticator: z
    .boolean()
    .default(true)
    .describe('Drop answers to logins that have no Message-Authenticator: others could forge them (BlastRADIUS).'),
  accounting: z
    .strictObject({
      interim: z
        .int()
        .min(0)
        .max(86_400)
        .default(300)
        .describe(
          'Seconds between the interim records of a session, at least 60; an Acct-Interim-Interval of the server counts instead. 0: none, unless the server wants them.',
        ),
    })
    .optional()
    .describe('Reports start, course and end of each session to the servers. Without this key nothing is reported.'),
  dynamic: z
    .strictObject({
      port: port.default(3799).describe('UDP port for requests of RADIUS servers.'),
      clients: z
        .array(
          z.strictObject({
            address: address.describe('Address from which requests may come.'),
            secretFile: path.describe('File with the secret shared with it, as in `radius.servers[].secretFile`.'),
          }),
        )
        .min(1)
        .max(8)
        .describe('Who may end and change sessions. Requests of others are dropped.'),
    })
    .optional()
    .describe('Lets RADIUS servers end and change sessions (Disconnect and CoA, RFC 5176). Without this key none can.'),
});

const hostName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/)
  .meta({ title: 'a host name in lower case without a port, for example vpn.example.net' });

/** Passwords and cookies in clear text leave the machine only if the administrator says so. */
export const consoleSchema = z
  .strictObject({
    address: address.default('127.0.0.1').describe('Address on which the console is served.'),
    port: port.default(8723).describe('TCP port of the console. The console has no privileges: not below 1024.'),
    socket: path
      .optional()
      .describe(
        'Unix socket for a proxy, in place of `console.address` and `console.port`. Its mode is 0660. Uid 61725, which the console runs as, must be able to write to its folder (docs/console.md).',
      ),
    tls: z
      .strictObject({
        certificate: path.describe('File with the certificate and those of its issuers (PEM).'),
        key: path.describe('File with its private key (PEM). Root reads it; others should not be able to.'),
      })
      .optional()
      .describe('Serves HTTPS. Without this key it is HTTP.'),
    plainHttp: z
      .boolean()
      .default(false)
      .describe('`true`: permit HTTP beyond loopback, for a proxy on another host that serves HTTPS.'),
    names: z
      .array(hostName)
      .max(20)
      .default([])
      .describe(
        "Host names by which browsers reach the console. `localhost` and addresses are always permitted. Empty: on a loopback address no other name, otherwise every name. Behind a proxy: the proxy's name.",
      ),
    proxies: z
      .array(network)
      .max(20)
      .default([])
      .describe(
        'Addresses of proxies. Their headers X-Forwarded-For and X-Forwarded-Proto say who the client is. Those from a unix socket are always believed.',
      ),
    users: path
      .default('/var/lib/pptpd-ts/console.json')
      .describe('Users and tokens of the console, which `pptpd-ts console` writes.'),
  })
  .superRefine(({ address: on, socket, tls, plainHttp }, context) => {
    const problem = (key: string, value: unknown, reason: string, allowed: string): void =>
      context.addIssue({ code: 'custom', path: [key], params: { value, reason, allowed } });
    if (socket !== undefined && tls !== undefined)
      problem('tls', tls, 'console.socket is for a proxy, which serves HTTPS itself', 'one of tls and socket');
    if (socket === undefined && tls === undefined && !plainHttp && !isLoopback(on))
      problem(
        'address',
        on,
        'passwords would cross the network in clear text',
        'a loopback address such as 127.0.0.1; any address with console.tls; or "plainHttp": true behind a proxy that serves HTTPS',
      );
  });

interface KeysTogether {
  readonly radius?: unknown;
  readonly console?: unknown;
  readonly user?: unknown;
  readonly ppp: { readonly engine: string };
}

const keysTogether = ({ radius, console, user, ppp }: KeysTogether, context: z.core.$RefinementCtx): void => {
  if (console !== undefined && user === undefined && ppp.engine === 'pppd')
    context.addIssue({
      code: 'custom',
      path: ['user'],
      params: {
        reason: 'without it the server runs as root with pppd, and the console, which is not root, could not ask it',
        allowed: 'a user\'s name, for example "pptpd-ts"; or no section console',
      },
    });
  if (radius !== undefined && ppp.engine !== 'builtin')
    context.addIssue({
      code: 'custom',
      path: ['ppp', 'engine'],
      params: {
        value: ppp.engine,
        reason: "the section 'radius' is for the builtin engine; pppd has its own plugin radius.so",
        allowed: '"builtin", or no section radius',
      },
    });
};

/** What hooks can be told. */
export const HOOK_EVENTS = ['connect', 'up', 'fail', 'end', 'blocked'] as const;
export type HookEventName = (typeof HOOK_EVENTS)[number];

/** A mistake in it is reported without the text, which may have a password. */
const webhook = z.string().superRefine((text, context) => {
  const isUrl = URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol);
  const params = { value: 'this URL', allowed: 'a URL that begins with http:// or https://' };
  if (!isUrl) context.addIssue({ code: 'custom', params });
});

const hook = z
  .strictObject({
    on: z
      .array(z.enum(HOOK_EVENTS))
      .min(1)
      .describe('What it is told: `connect`, `up`, `fail`, `end`, `blocked` (docs/hooks.md).'),
    run: z
      .tuple([path], z.string())
      .meta({ title: 'an array: the absolute path of a program, and its arguments' })
      .optional()
      .describe('Program and its arguments. It gets JSON on its standard input.'),
    post: webhook.optional().describe('URL to which the same JSON is posted.'),
    timeout: z
      .number()
      .positive()
      .max(300)
      .default(10)
      .describe('Seconds after which the program is ended, or the post has failed.'),
  })
  .superRefine(({ run, post }, context) => {
    if ((run === undefined) !== (post === undefined)) return;
    const reason = run === undefined ? 'it has neither run nor post' : 'it has both run and post';
    context.addIssue({ code: 'custom', params: { value: 'this hook', reason, allowed: 'one of run and post' } });
  });

const sections = z.strictObject({
  listen: z
    .strictObject({
      address: address.default('0.0.0.0').describe('Address on which clients connect. `0.0.0.0`: every address.'),
      port: port.default(TCP_PORT).describe('TCP port. Clients expect 1723.'),
      vrf: interfaceName
        .optional()
        .describe(
          "VRF device to which the TCP listener and the GRE sockets are bound. The builtin engine puts the tunnels' interfaces " +
            'into it, too; with pppd, `/etc/ppp/ip-up` may do so.',
        ),
    })
    .prefault({}),
  addresses: z
    .strictObject({
      local: ranges
        .default(['192.168.0.1'])
        .describe(
          "The server's end of the tunnels: one address for all, or one for each address of `addresses.remote`.",
        ),
      remote: ranges.default(['192.168.1.10-100']).describe("Pool of the clients' addresses: one for each session."),
      delegate: z
        .boolean()
        .default(false)
        .describe(
          '`true`: pppd gives each client its address, from RADIUS or the fourth column of chap-secrets; `addresses.remote` is not used.',
        ),
    })
    .superRefine(checkAddresses, { when: ({ value }) => addressLists(value) !== null })
    .prefault({}),
  limits: z
    .strictObject({
      connections: limit
        .default(100)
        .describe('Maximum number of sessions. 0: only the number of addresses limits them.'),
      perSource: limit.default(0).describe('Maximum number of connections from one client address. 0: no limit.'),
      pending: limit
        .default(256)
        .describe(
          'Maximum number of connections without a complete start request. At the limit the oldest is closed. 0: no limit.',
        ),
    })
    .prefault({}),
  access: z
    .strictObject({
      allow: z.array(network).default([]).describe('Client addresses and networks that may connect. Empty: all.'),
      deny: z
        .array(network)
        .default([])
        .describe(
          'Client addresses and networks that may not connect. Where both lists match, the longer prefix wins.',
        ),
    })
    .prefault({}),
  timeouts: z
    .strictObject({
      firstMessage: seconds.default(10).describe('Seconds for a client to send its complete start request.'),
      establish: seconds.default(60).describe('Seconds for a connected client to start a call.'),
      echoInterval: seconds
        .default(RFC_TIMERS.echoInterval)
        .describe('Seconds without a message from the client before the server sends an Echo-Request.'),
      echoReply: seconds
        .default(RFC_TIMERS.echoReply)
        .describe('Seconds to wait for the reply. Without one the session ends.'),
      pppdExit: seconds.default(5).describe('Seconds from TERM to KILL when the server ends a pppd.'),
    })
    .prefault({}),
  ppp: pppSchema,
  accounts: z
    .strictObject({
      file: path
        .default('/var/lib/pptpd-ts/accounts.json')
        .describe(
          "Users of the builtin engine, besides those of `ppp.secrets`; the file need not exist. `pptpd-ts users` writes it. pppd's users are in chap-secrets, which the same command edits.",
        ),
    })
    .prefault({}),
  pppd: z
    .strictObject({
      path: path
        .default('/usr/sbin/pppd')
        .describe('pppd, or another program that speaks PPP in HDLC frames on its standard input.'),
      options: path
        .optional()
        .describe(
          "pppd's options file. A file in /etc/ppp/peers is passed by `call`, so that pppd trusts it whoever starts it; any other by `file`.",
        ),
      speed: z
        .int()
        .min(1)
        .max(4_000_000)
        .default(115200)
        .describe('Terminal speed that pppd is given. It does not limit the traffic.'),
      ipparam: z
        .boolean()
        .default(true)
        .describe("Pass the client's address to the scripts in /etc/ppp/ip-up.d as their sixth argument."),
      logwtmp: z
        .boolean()
        .default(false)
        .describe(
          'Write login records, so that `last` and `who` show sessions. On Debian 13 `last` needs the package wtmpdb, and `who` shows none.',
        ),
      args: z.array(z.string()).default([]).describe('Further arguments for pppd.'),
    })
    .prefault({}),
  gre: z
    .strictObject({
      window: z
        .enum(['advise', 'enforce'])
        .default('advise')
        .describe(
          "`enforce`: send no more packets than the client's receive window allows (RFC 2637 §4.2). `advise`: only count them.",
        ),
    })
    .prefault({}),
  network: z
    .strictObject({
      forward: z
        .boolean()
        .default(true)
        .describe(
          '`true`: set net.ipv4.ip_forward to 1, so that clients reach more than the server. It stays 1. `false`: leave it as it is.',
        ),
      masquerade: z
        .union([z.literal('auto'), z.array(uplink)])
        .default([])
        .meta({ title: 'an array of interface names, or "auto"' })
        .describe(
          "Interfaces on which clients appear with the server's address (NAT). `auto`: those of the default routes.",
        ),
      clampMss: z
        .boolean()
        .default(true)
        .describe("`true`: reduce the MSS of the clients' TCP connections to what fits into their tunnels."),
      isolateClients: z.boolean().default(false).describe('`true`: clients cannot reach each other.'),
      allow: z
        .array(destination)
        .max(MAX_DESTINATIONS)
        .default([])
        .describe(
          'What clients may reach, the server included: `192.0.2.0/24`, `192.0.2.1 tcp 443`, `192.0.2.1 udp 5000-5010`. Everything else is rejected. Empty: everything.',
        ),
    })
    .optional()
    .describe(
      'Forwarding, NAT and rules for the clients, in an nftables table of the server. Without this section the server changes nothing of them.',
    ),
  broadcastRelay: z
    .strictObject({
      interface: interfaceName.describe(
        "LAN interface. UDP broadcasts are relayed between it and the tunnels, and between tunnels, as by pptpd's bcrelay.",
      ),
    })
    .optional()
    .describe('Relays UDP broadcasts. Without this section none are relayed.'),
  policy: z
    .strictObject({
      sessionsPerUser: limit.default(0).describe('Maximum number of sessions of one user. 0: no limit.'),
      whenExceeded: z
        .enum(['deny', 'replace'])
        .default('deny')
        .describe("A login beyond that limit: `deny` refuses it, `replace` ends the user's oldest session."),
      failedLogins: limit
        .default(0)
        .describe('Number of failed logins after which a client address is blocked. 0: never.'),
      failedLoginsWithin: seconds.default(600).describe('Seconds during which a failed login counts.'),
      blockFor: seconds
        .default(600)
        .describe('Seconds for which the address stays blocked. `pptpd-ts blocks` lists and lifts blocks.'),
      sessionTime: duration.default(0).describe('Maximum seconds from login to the end of the session. 0: no limit.'),
      idleTime: duration
        .default(0)
        .describe(
          'Maximum seconds without data from the client. PPP negotiation and LCP echoes are not data. 0: no limit.',
        ),
    })
    .prefault({}),
  workers: z
    .strictObject({
      spare: z
        .int()
        .min(0)
        .max(64)
        .default(2)
        .describe('Number of workers started in advance, so that no client waits for one to start.'),
      sessions: z
        .int()
        .min(1)
        .max(65_535)
        .default(1000)
        .describe('Number of clients that one worker serves, one after the other. 1: a new process for each client.'),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z
        .enum(LOG_LEVELS)
        .default('info')
        .describe(`Minimum severity to log: ${LOG_LEVELS.map((level) => `\`${level}\``).join(', ')}.`),
      directory: path
        .optional()
        .describe(
          'Directory of the log files, one for the manager and one for each session. Without it JSON lines go to standard output.',
        ),
      keepFiles: limit
        .default(1000)
        .describe('Maximum number of log files of ended sessions. The oldest are deleted first. 0: no limit.'),
      keepDays: days.default(30).describe('Days after which the log file of an ended session is deleted. 0: never.'),
    })
    .prefault({}),
  accounting: z
    .strictObject({
      file: path.describe('File to which a JSON line is appended at the end of each session.'),
      interim: z
        .number()
        .min(0)
        .max(86_400)
        .default(300)
        .describe('Seconds between the interim lines of a running session. 0: no interim lines.'),
    })
    .optional()
    .describe('Records what each session used. Without this section nothing is recorded.'),
  hooks: z
    .array(hook)
    .max(20)
    .default([])
    .describe(
      'Programs to run and URLs to post to when something happens to a session: each hook has `run` or `post`.',
    ),
  radius: radiusSchema
    .optional()
    .describe(
      'RADIUS judges the logins of the builtin engine, in place of `ppp.secrets`. Without this section it does not.',
    ),
  runDirectory: path
    .default(USUAL_RUN_DIRECTORY)
    .describe('Directory of manager.pid and of the sockets of the manager and the sessions.'),
  user: userName
    .optional()
    .describe(
      'User that the server becomes when root starts it. Without it the server runs as root with pppd, and as uid 61723, which has no account, with the builtin engine.',
    ),
  pidFile: path.optional().describe('A second file for the process id, besides manager.pid in `runDirectory`.'),
  metrics: z
    .strictObject({
      address: address
        .default('127.0.0.1')
        .describe('Address on which Prometheus metrics are served over HTTP, without a password.'),
      port: port.default(9723).describe('TCP port of the metrics.'),
    })
    .optional()
    .describe('Serves Prometheus metrics. Without this section there are none.'),
  console: consoleSchema
    .optional()
    .describe('Serves a console for browsers, and its API (docs/console.md). Without this section there is none.'),
});

export const configurationSchema = sections.superRefine(keysTogether);

/** The effective configuration, every default filled in. */
export type Configuration = z.output<typeof configurationSchema>;

/** As an administrator writes it: every key may be left out. */
export type ConfigurationInput = z.input<typeof configurationSchema>;

/** The schema as JSON Schema (draft 2020-12), for editors and for error messages. */
export const configurationJsonSchema = (): z.core.JSONSchema.BaseSchema =>
  z.toJSONSchema(configurationSchema, { io: 'input' });
