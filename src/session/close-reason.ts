/**
 * Why a session or a call ended: typed values, each with its text for the log and its codes for the client. `disconnect` is
 * the result of the Call-Disconnect-Notify (RFC 2637 §2.13: 1 lost carrier, 2 general error, 3 administrative shutdown,
 * 4 request), `stop` the reason of the Stop-Control-Connection-Request (§2.3: 1 none, 2 protocol, 3 local shutdown).
 */
import { RESULT, STOP_REASON } from '../pptp/index.js';

const DISCONNECT = RESULT.CallDisconnectNotify;

interface CloseReasonTexts {
  readonly text: string;
  readonly disconnect: (typeof DISCONNECT)[keyof typeof DISCONNECT];
  /** Nothing more is sent over the tunnel: the client is gone, or its next session would receive the packets. */
  readonly clientGone: boolean;
  /** null: no Stop-Control-Connection-Request is sent. */
  readonly stop: (typeof STOP_REASON)[keyof typeof STOP_REASON] | null;
}

export const CLOSE_REASONS = {
  clientStopped: {
    text: 'the client stopped the control connection',
    disconnect: DISCONNECT.requested,
    clientGone: true,
    stop: null,
  },
  clientClosed: {
    text: 'the client closed the TCP connection',
    disconnect: DISCONNECT.lostCarrier,
    clientGone: true,
    stop: null,
  },
  clientSilent: {
    text: 'the client answered no Echo-Request',
    disconnect: DISCONNECT.lostCarrier,
    clientGone: true,
    stop: STOP_REASON.none,
  },
  calledAgain: {
    text: 'the client has called again and no longer answers on this connection',
    disconnect: DISCONNECT.lostCarrier,
    clientGone: true,
    stop: null,
  },
  clientCleared: {
    text: 'the client cleared the call',
    disconnect: DISCONNECT.requested,
    clientGone: true,
    stop: null,
  },
  noCall: {
    text: 'the client did not start a call in time',
    disconnect: DISCONNECT.lostCarrier,
    clientGone: false,
    stop: STOP_REASON.none,
  },
  madeRoom: {
    text: 'the server was full, and this client had not started a call',
    disconnect: DISCONNECT.lostCarrier,
    clientGone: false,
    stop: null,
  },
  protocolError: {
    text: 'the client sent data that is not PPTP',
    disconnect: DISCONNECT.generalError,
    clientGone: true,
    stop: null,
  },
  versionRefused: {
    text: 'the client speaks another protocol version',
    disconnect: DISCONNECT.generalError,
    clientGone: false,
    stop: null,
  },
  connectionFailed: {
    text: 'the TCP connection failed',
    disconnect: DISCONNECT.lostCarrier,
    clientGone: true,
    stop: null,
  },
  linkEnded: {
    text: 'the PPP link ended but pppd kept running',
    disconnect: DISCONNECT.lostCarrier,
    clientGone: false,
    stop: STOP_REASON.none,
  },
  pppdExited: { text: 'pppd ended', disconnect: DISCONNECT.lostCarrier, clientGone: false, stop: STOP_REASON.none },
  pppdFailed: {
    text: 'pppd could not be started',
    disconnect: DISCONNECT.generalError,
    clientGone: false,
    stop: STOP_REASON.none,
  },
  pppEnded: { text: 'PPP ended', disconnect: DISCONNECT.lostCarrier, clientGone: false, stop: STOP_REASON.none },
  deviceFailed: {
    text: 'the network interface failed',
    disconnect: DISCONNECT.generalError,
    clientGone: false,
    stop: STOP_REASON.none,
  },
  relayFailed: {
    text: 'the GRE relay failed',
    disconnect: DISCONNECT.lostCarrier,
    clientGone: true,
    stop: STOP_REASON.none,
  },
  workerFailed: {
    text: 'the ctrl worker failed',
    disconnect: DISCONNECT.generalError,
    clientGone: false,
    stop: STOP_REASON.localShutdown,
  },
  kicked: {
    text: 'ended by the administrator',
    disconnect: DISCONNECT.administrativeShutdown,
    clientGone: false,
    stop: STOP_REASON.localShutdown,
  },
  radiusDisconnect: {
    text: 'ended by a RADIUS server',
    disconnect: DISCONNECT.administrativeShutdown,
    clientGone: false,
    stop: STOP_REASON.localShutdown,
  },
  userLimit: {
    text: 'the user already has as many sessions as policy.sessionsPerUser or the account allows',
    disconnect: DISCONNECT.administrativeShutdown,
    clientGone: false,
    stop: STOP_REASON.localShutdown,
  },
  replaced: {
    text: 'the user has logged in again (policy.whenExceeded)',
    disconnect: DISCONNECT.administrativeShutdown,
    // The new session is often the same client's, under the same call id. A client elsewhere is told over TCP.
    clientGone: true,
    stop: STOP_REASON.localShutdown,
  },
  blocked: {
    text: 'the client address is blocked after failed logins (policy.failedLogins)',
    disconnect: DISCONNECT.administrativeShutdown,
    clientGone: false,
    stop: STOP_REASON.localShutdown,
  },
  accountEnded: {
    text: 'the account no longer permits the session',
    disconnect: DISCONNECT.administrativeShutdown,
    clientGone: false,
    stop: STOP_REASON.localShutdown,
  },
  sessionTime: {
    text: 'the session has lasted for the sessionTime of policy or of the account',
    disconnect: DISCONNECT.administrativeShutdown,
    clientGone: false,
    stop: STOP_REASON.localShutdown,
  },
  idle: {
    text: 'the client has sent no data for the idleTime of policy or of the account',
    disconnect: DISCONNECT.administrativeShutdown,
    clientGone: false,
    stop: STOP_REASON.localShutdown,
  },
  serverShutdown: {
    text: 'the server is shutting down',
    disconnect: DISCONNECT.administrativeShutdown,
    clientGone: false,
    stop: STOP_REASON.localShutdown,
  },
} as const satisfies Record<string, CloseReasonTexts>;

export type CloseReason = keyof typeof CLOSE_REASONS;
