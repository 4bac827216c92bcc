/** The section `console`: the console for browsers, and its API. */
import * as z from 'zod';
import { isLoopback } from '../addresses.js';
import { address, network, path, port } from './values.js';

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

export const consoleSection = consoleSchema
  .optional()
  .describe('Serves a console for browsers, and its API (docs/console.md). Without this section there is none.');
