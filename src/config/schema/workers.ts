/** The section `workers`: the processes that serve clients. */
import * as z from 'zod';

export const workersSection = z
  .strictObject({
    spare: z
      .int()
      .min(0)
      .max(64)
      .default(2)
      .describe('Number of workers started in advance, so that no client waits for one to start.'),
    sessions: z
      .int()
      .min(1)
      .max(65_535)
      .default(1000)
      .describe('Number of clients that one worker serves, one after the other. 1: a new process for each client.'),
  })
  .prefault({});
