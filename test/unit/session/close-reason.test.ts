/** The numbers that each reason sends to the client (RFC 2637 §2.13 and §2.3), written out a second time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLOSE_REASONS, type CloseReason } from '../../../src/session/close-reason.js';

const LOST_CARRIER = 1;
const GENERAL_ERROR = 2;
const ADMINISTRATIVE = 3;
const REQUESTED = 4;

/** Result of the Call-Disconnect-Notify; reason of the stop request, null if none is sent; whether the client is gone. */
const EXPECTED: Readonly<Record<CloseReason, readonly [disconnect: number, stop: number | null, clientGone: boolean]>> =
  {
    clientStopped: [REQUESTED, null, true],
    clientClosed: [LOST_CARRIER, null, true],
    clientSilent: [LOST_CARRIER, 1, true],
    calledAgain: [LOST_CARRIER, null, true],
    clientCleared: [REQUESTED, null, true],
    noCall: [LOST_CARRIER, 1, false],
    madeRoom: [LOST_CARRIER, null, false],
    protocolError: [GENERAL_ERROR, null, true],
    versionRefused: [GENERAL_ERROR, null, false],
    connectionFailed: [LOST_CARRIER, null, true],
    linkEnded: [LOST_CARRIER, 1, false],
    pppdExited: [LOST_CARRIER, 1, false],
    pppdFailed: [GENERAL_ERROR, 1, false],
    pppEnded: [LOST_CARRIER, 1, false],
    deviceFailed: [GENERAL_ERROR, 1, false],
    relayFailed: [LOST_CARRIER, 1, true],
    workerFailed: [GENERAL_ERROR, 3, false],
    kicked: [ADMINISTRATIVE, 3, false],
    radiusDisconnect: [ADMINISTRATIVE, 3, false],
    userLimit: [ADMINISTRATIVE, 3, false],
    accountEnded: [ADMINISTRATIVE, 3, false],
    replaced: [ADMINISTRATIVE, 3, true],
    blocked: [ADMINISTRATIVE, 3, false],
    sessionTime: [ADMINISTRATIVE, 3, false],
    idle: [ADMINISTRATIVE, 3, false],
    serverShutdown: [ADMINISTRATIVE, 3, false],
  };

for (const [reason, { disconnect, stop, clientGone }] of Object.entries(CLOSE_REASONS)) {
  test(reason, () => assert.deepEqual([disconnect, stop, clientGone], EXPECTED[reason as CloseReason]));
}
