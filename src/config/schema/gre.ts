/** The section `gre`: how packets are sent to clients. */
import * as z from 'zod';

export const greSection = z
  .strictObject({
    window: z
      .enum(['advise', 'enforce'])
      .default('advise')
      .describe(
        "`enforce`: send no more packets than the client's receive window allows (RFC 2637 §4.2). `advise`: only count them.",
      ),
  })
  .prefault({});
