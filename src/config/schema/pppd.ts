/** The section `pppd`: how pppd is run. */
import * as z from 'zod';
import { path } from './values.js';

export const pppdSection = z
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
  .prefault({});
