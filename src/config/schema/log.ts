/** The section `log`: log level and files. */
import * as z from 'zod';
import { LOG_LEVELS } from '../../log/level.js';
import { days, limit, path } from './values.js';

export const logSection = z
  .strictObject({
    level: z
      .enum(LOG_LEVELS)
      .default('info')
      .describe(`Minimum severity to log: ${LOG_LEVELS.map((level) => `\`${level}\``).join(', ')}.`),
    directory: path
      .optional()
      .describe(
        'Directory of the log files, one for the manager and one for each session. Without it JSON lines go to standard output.',
      ),
    keepFiles: limit
      .default(1000)
      .describe('Maximum number of log files of ended sessions. The oldest are deleted first. 0: no limit.'),
    keepDays: days.default(30).describe('Days after which the log file of an ended session is deleted. 0: never.'),
  })
  .prefault({});
