/** The section `radius`: the RADIUS servers that judge logins. */
import * as z from 'zod';
import { address, path, port } from './values.js';

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

export const radiusSection = radiusSchema
  .optional()
  .describe(
    'RADIUS judges the logins of the builtin engine, in place of `ppp.secrets`. Without this section it does not.',
  );
