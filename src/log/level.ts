/**
 * The log levels: pino's, as configuration and session sockets accept them. A separate file, so that importing it costs
 * nothing.
 */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];
