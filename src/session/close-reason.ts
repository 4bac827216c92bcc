/**
 * Why a session or a call ended: typed values, and as data what each of them says in the log and to the client.
 * The client hears a Call-Disconnect-Notify with `disconnect` (RFC 2637 §2.13: 1 lost carrier, 2 general error,
 * 3 administrative shutdown, 4 request) and, when it is we who end the connection, a
 * Stop-Control-Connection-Request with `stop` (§2.3: 1 none, 2 protocol, 3 local shutdown).
 */
interface CloseReasonTexts {
  readonly text: string;
  readonly disconnect: 1 | 2 | 3 | 4;
  /** null: the control connection is gone already, or the client itself has asked for the stop. */
  readonly stop: 1 | 2 | 3 | null;
}

export const CLOSE_REASONS = {
  clientStopped: { text: 'the client stopped the control connection', disconnect: 4, stop: null },
  clientClosed: { text: 'the client closed the TCP connection', disconnect: 1, stop: null },
  clientSilent: { text: 'the client answered no Echo-Request', disconnect: 1, stop: 1 },
  clientCleared: { text: 'the client cleared the call', disconnect: 4, stop: null },
  noCall: { text: 'the client started no call in time', disconnect: 1, stop: 1 },
  protocolError: { text: 'the client sent what is no PPTP', disconnect: 2, stop: null },
  versionRefused: { text: 'the client speaks another protocol version', disconnect: 2, stop: null },
  connectionFailed: { text: 'the TCP connection failed', disconnect: 1, stop: null },
  pppdExited: { text: 'pppd ended', disconnect: 1, stop: 1 },
  pppdFailed: { text: 'pppd could not be started', disconnect: 2, stop: 1 },
  relayFailed: { text: 'the GRE relay failed', disconnect: 1, stop: 1 },
  workerFailed: { text: 'the ctrl worker failed', disconnect: 2, stop: 3 },
  kicked: { text: 'ended by the administrator', disconnect: 3, stop: 3 },
  serverShutdown: { text: 'the server is shutting down', disconnect: 3, stop: 3 },
} as const satisfies Record<string, CloseReasonTexts>;

export type CloseReason = keyof typeof CLOSE_REASONS;
