/** The section `timeouts`: how long the server waits for clients and for pppd. */
import * as z from 'zod';
import { RFC_TIMERS } from '../../pptp/index.js';
import { seconds } from './values.js';

export const timeoutsSection = z
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
  .prefault({});
