/** The section `policy`: what users and client addresses may do. */
import * as z from 'zod';
import { duration, limit, seconds } from './values.js';

export const policySection = z
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
  .prefault({});
