/**
 * The schema of the configuration: every key with its allowed values, default and meaning. The only source of defaults.
 * Each section has a file in the folder schema; here they are put together, with the rules that concern several of them.
 */
import { z } from 'zod';
import { isLoopback } from './addresses.js';
import { USUAL_RUN_DIRECTORY } from './run-directory.js';
import { listenSection } from './schema/listen.js';
import { addressesSection } from './schema/addresses.js';
import { limitsSection } from './schema/limits.js';
import { accessSection } from './schema/access.js';
import { timeoutsSection } from './schema/timeouts.js';
import { pppSection } from './schema/ppp.js';
import { accountsSection } from './schema/accounts.js';
import { pppdSection } from './schema/pppd.js';
import { greSection } from './schema/gre.js';
import { networkSection } from './schema/network.js';
import { broadcastRelaySection } from './schema/broadcast-relay.js';
import { policySection } from './schema/policy.js';
import { workersSection } from './schema/workers.js';
import { logSection } from './schema/log.js';
import { accountingSection } from './schema/accounting.js';
import { hooksSection } from './schema/hooks.js';
import { radiusSection } from './schema/radius.js';
import { metricsSection } from './schema/metrics.js';
import { address, network, path, port, userName } from './schema/values.js';

const hostName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/)
  .meta({ title: 'a host name in lower case without a port, for example vpn.example.net' });

/** Passwords and cookies in clear text leave the machine only if the administrator says so. */
const consoleSchema = z
  .strictObject({
    address: address.default('127.0.0.1').describe('Address on which the console is served.'),
    port: port.default(8723).describe('TCP port of the console. The console has no privileges: not below 1024.'),
    socket: path
      .optional()
      .describe(
        'Unix socket for a proxy, in place of `console.address` and `console.port`. Its mode is 0660. Its folder must exist and belong to the user of the server.',
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
        reason: 'without it the server runs as root with pppd, and the console would too',
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

const sections = z.strictObject({
  listen: listenSection,
  addresses: addressesSection,
  limits: limitsSection,
  access: accessSection,
  timeouts: timeoutsSection,
  ppp: pppSection,
  accounts: accountsSection,
  pppd: pppdSection,
  gre: greSection,
  network: networkSection,
  broadcastRelay: broadcastRelaySection,
  policy: policySection,
  workers: workersSection,
  log: logSection,
  accounting: accountingSection,
  hooks: hooksSection,
  radius: radiusSection,
  runDirectory: path
    .default(USUAL_RUN_DIRECTORY)
    .describe('Directory of manager.pid and of the sockets of the manager and the sessions.'),
  user: userName
    .optional()
    .describe(
      'User that the server becomes when root starts it. Without it the server runs as root with pppd, and as uid 61723, which has no account, with the builtin engine.',
    ),
  pidFile: path.optional().describe('A second file for the process id, besides manager.pid in `runDirectory`.'),
  metrics: metricsSection,
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
