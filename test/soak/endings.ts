/**
 * How visits end, as a table: how often, how far the client has come by then, who does what, and which reasons the
 * server's accounting may have for it.
 */
import assert from 'node:assert/strict';
import type { CloseReason } from '../../src/session/close-reason.js';
import { SessionClient } from '../../src/session/client.js';
import { listSessionIds, readRecord, type SessionRecord } from '../../src/session/record.js';
import type { Visitor } from './visitor.js';
import type { LossyNetwork } from './lossy-network.js';

/** How far a visit goes before its end: it is there, has started, called, logged in. */
export const STAGES = ['connected', 'started', 'called', 'up'] as const;

export interface Surroundings {
  readonly runDirectory: string;
  readonly network: LossyNetwork;
}

export interface Ending {
  /** How many of a hundred visits. */
  readonly weight: number;
  readonly stage: (typeof STAGES)[number];
  readonly reasons: readonly CloseReason[];
  /** Ends it, and resolves when it is over for the client. */
  readonly act: (visitor: Visitor, surroundings: Surroundings) => Promise<void>;
  /** Logs in under a name that is not believed. */
  readonly wrongPassword?: true;
}

/** The record of the visitor's session. */
function recordOf({ callId }: Visitor, { runDirectory }: Surroundings): SessionRecord {
  const records = listSessionIds(runDirectory).flatMap((id) => readRecord(runDirectory, id) ?? []);
  const record = records.find(({ lease }) => lease.callId === callId);
  assert(record !== undefined, `the session with call id ${callId} is in the run directory`);
  return record;
}

const stop = async (visitor: Visitor): Promise<void> => {
  visitor.client.send({ type: 'StopControlConnectionRequest', reason: 1 });
  await visitor.gone();
};

/** As when it is pppd that ends: its worker says goodbye. */
const goodbye = async (visitor: Visitor): Promise<void> => {
  await visitor.client.next('CallDisconnectNotify');
  await visitor.gone();
};

export const ENDINGS = {
  stops: { weight: 22, stage: 'up', reasons: ['clientStopped'], act: stop },
  closes: {
    weight: 14,
    stage: 'up',
    reasons: ['clientClosed'],
    act: async (visitor) => {
      visitor.client.end();
      await visitor.gone();
    },
  },
  resets: {
    weight: 10,
    stage: 'up',
    // A RST that gets lost is not sent again: the server learns of it when it says something itself.
    reasons: ['clientClosed', 'connectionFailed', 'clientSilent'],
    act: async (visitor) => visitor.client.reset(),
  },
  vanishes: {
    weight: 6,
    stage: 'up',
    // pppd may still wait for the acknowledgment of its own last request, and loses patience first.
    reasons: ['clientSilent', 'pppdExited'],
    act: async (visitor, { network }) => {
      const [address = '', port] = visitor.client.name.split(':');
      await network.cut(address, Number(port));
    },
  },
  terminates: {
    weight: 8,
    stage: 'up',
    reasons: ['pppdExited'],
    act: async (visitor) => {
      visitor.ppp.terminate();
      await goodbye(visitor);
    },
  },
  clearsAndCallsAgain: {
    weight: 8,
    stage: 'up',
    reasons: ['clientStopped'],
    act: async (visitor) => {
      visitor.client.send({ type: 'CallClearRequest', callId: visitor.callId });
      await visitor.client.next('CallDisconnectNotify');
      await visitor.call();
      await visitor.logIn();
      await visitor.echo();
      await stop(visitor);
    },
  },
  pppdKilled: {
    weight: 6,
    stage: 'up',
    reasons: ['pppdExited'],
    act: async (visitor, surroundings) => {
      const { pppd } = recordOf(visitor, surroundings);
      assert(pppd !== null);
      process.kill(pppd.pid, 'SIGKILL');
      await goodbye(visitor);
    },
  },
  kicked: {
    weight: 6,
    stage: 'up',
    reasons: ['kicked'],
    act: async (visitor, surroundings) => {
      const { session } = recordOf(visitor, surroundings);
      const socket = await SessionClient.connect(surroundings.runDirectory, session);
      await socket.request('disconnect', { reason: 'kicked' });
      await goodbye(visitor);
      socket.close();
    },
  },
  workerKilled: {
    weight: 4,
    stage: 'up',
    reasons: ['workerFailed'],
    act: async (visitor, surroundings) => {
      process.kill(recordOf(visitor, surroundings).worker.pid, 'SIGKILL');
      await visitor.gone();
    },
  },
  hangsUpAtLogin: {
    weight: 4,
    stage: 'called',
    reasons: ['clientClosed', 'connectionFailed', 'clientSilent', 'pppdExited'],
    act: async (visitor) => visitor.client.reset(),
  },
  wrongPassword: {
    weight: 4,
    stage: 'called',
    reasons: ['pppdExited'],
    wrongPassword: true,
    act: async (visitor) => {
      visitor.logIn().catch(() => undefined); // it never resolves: the end is what is awaited
      await goodbye(visitor);
    },
  },
  neverCalls: {
    weight: 2,
    stage: 'started',
    reasons: ['noCall'],
    act: async (visitor) => visitor.gone(),
  },
  talksNonsense: {
    weight: 3,
    stage: 'started',
    reasons: ['protocolError'],
    act: async (visitor) => {
      visitor.client.sendBytes(Buffer.from('GET / HTTP/1.1\r\nHost: vpn.example\r\n\r\n'));
      await visitor.gone();
    },
  },
  isSilent: {
    weight: 3,
    stage: 'connected',
    reasons: [],
    act: async (visitor) => visitor.gone(),
  },
} as const satisfies Record<string, Ending>;

export type EndingName = keyof typeof ENDINGS;
