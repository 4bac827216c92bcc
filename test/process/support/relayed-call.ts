/** The one call of a test that runs the relay without a server. */
export const SERVER = '192.0.2.1';
export const CLIENT = '192.0.2.2';
export const SERVER_CALL = 0x1234;
export const CLIENT_CALL = 0x4321;

/** It as RelayOptions. */
export const RELAYED_CALL = {
  localAddress: SERVER,
  peerAddress: CLIENT,
  localCallId: SERVER_CALL,
  peerCallId: CLIENT_CALL,
  peerWindow: 64,
} as const;
