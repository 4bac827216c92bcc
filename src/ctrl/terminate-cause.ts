/** Why a call ends, as RADIUS accounting says it: Acct-Terminate-Cause (RFC 2866 §5.10). */
import type { CloseReason } from '../session/close-reason.js';

const CAUSE = {
  userRequest: 1,
  lostCarrier: 2,
  idleTimeout: 4,
  sessionTimeout: 5,
  adminReset: 6,
  portError: 8,
  nasError: 9,
  nasReboot: 11,
  portPreempted: 13,
  userError: 17,
} as const;

export const TERMINATE_CAUSES: Readonly<Record<CloseReason, (typeof CAUSE)[keyof typeof CAUSE]>> = {
  clientStopped: CAUSE.userRequest,
  clientClosed: CAUSE.lostCarrier,
  clientSilent: CAUSE.lostCarrier,
  calledAgain: CAUSE.lostCarrier,
  clientCleared: CAUSE.userRequest,
  noCall: CAUSE.lostCarrier,
  madeRoom: CAUSE.portPreempted,
  protocolError: CAUSE.userError,
  versionRefused: CAUSE.userError,
  connectionFailed: CAUSE.lostCarrier,
  linkEnded: CAUSE.lostCarrier,
  pppdExited: CAUSE.lostCarrier,
  pppdFailed: CAUSE.nasError,
  pppEnded: CAUSE.portError,
  deviceFailed: CAUSE.nasError,
  relayFailed: CAUSE.nasError,
  workerFailed: CAUSE.nasError,
  kicked: CAUSE.adminReset,
  radiusDisconnect: CAUSE.adminReset,
  userLimit: CAUSE.adminReset,
  replaced: CAUSE.portPreempted,
  blocked: CAUSE.adminReset,
  accountEnded: CAUSE.adminReset,
  sessionTime: CAUSE.sessionTimeout,
  idle: CAUSE.idleTimeout,
  serverShutdown: CAUSE.nasReboot,
};
