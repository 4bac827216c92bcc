/** The section `limits`: how many clients may connect. */
import * as z from 'zod';
import { limit } from './values.js';

export const limitsSection = z
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
  .prefault({});
