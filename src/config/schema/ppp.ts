/** The section `ppp`: what PPP negotiates, for both engines. */
import * as z from 'zod';
import { address, path } from './values.js';

/** How a client may log in, strongest first. */
export const AUTHENTICATION_METHODS = ['ms-chap-v2', 'ms-chap', 'chap-md5', 'pap'] as const;

export type AuthenticationMethod = (typeof AUTHENTICATION_METHODS)[number];

/** MPPE takes its keys from MS-CHAP (RFC 3079), so no other login can be followed by encryption. */
export const makesKeys = (method: AuthenticationMethod): boolean => method === 'ms-chap-v2' || method === 'ms-chap';

const servers = z.array(address).max(2);

const mtu = z.int().min(128).max(1500);

/** Keys that both engines know have no default here: pppd is passed only what is written (config/ppp-settings). */
export const pppSection = z
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
