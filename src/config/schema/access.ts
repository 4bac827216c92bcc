/** The section `access`: which clients may connect. */
import * as z from 'zod';
import { network } from './values.js';

export const accessSection = z
  .strictObject({
    allow: z.array(network).default([]).describe('Client addresses and networks that may connect. Empty: all.'),
    deny: z
      .array(network)
      .default([])
      .describe('Client addresses and networks that may not connect. Where both lists match, the longer prefix wins.'),
  })
  .prefault({});
