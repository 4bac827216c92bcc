/** How much a log says: pino's levels, as configuration and session sockets take them. Apart, to cost nothing to import. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];
