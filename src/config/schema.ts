/**
 * The schema of the configuration: every key with its allowed values, default and meaning. The only source of defaults.
 * Each section has a file in the folder schema; here they are put together, with the rules that concern several of them.
 */
import * as z from 'zod';
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
import { consoleSection } from './schema/console.js';
import { path, userName } from './schema/values.js';

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
  console: consoleSection,
});

export const configurationSchema = sections.superRefine(keysTogether);

/** The effective configuration, every default filled in. */
export type Configuration = z.output<typeof configurationSchema>;

/** As an administrator writes it: every key may be left out. */
export type ConfigurationInput = z.input<typeof configurationSchema>;

/** The schema as JSON Schema (draft 2020-12), for editors and for error messages. */
export const configurationJsonSchema = (): z.core.JSONSchema.BaseSchema =>
  z.toJSONSchema(configurationSchema, { io: 'input' });
