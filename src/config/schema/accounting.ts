/** The section `accounting`: the accounting file. */
import * as z from 'zod';
import { path } from './values.js';

export const accountingSection = z
  .strictObject({
    file: path.describe('File to which a JSON line is appended at the end of each session.'),
    interim: z
      .number()
      .min(0)
      .max(86_400)
      .default(300)
      .describe('Seconds between the interim lines of a running session. 0: no interim lines.'),
  })
  .optional()
  .describe('Records what each session used. Without this section nothing is recorded.');
