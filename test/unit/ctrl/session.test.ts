/** One client's session, with a client, links, a clock and a run directory in memory. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { AccountRecord } from '../../../src/accounting/record.js';
import { Session } from '../../../src/ctrl/session.js';
import type { ConfigurationInput } from '../../../src/config/schema.js';
import type { ProcessIdentity } from '../../../src/host/process.js';
import { type ControlMessage, encode, type MessageOf } from '../../../src/pptp/index.js';
import type { Captured } from '../../../src/session/captures.js';
import { CLOSE_REASONS } from '../../../src/session/close-reason.js';
import type { Handoff } from '../../../src/session/handoff.js';
import { accountPath } from '../../../src/session/paths.js';
import type { DisconnectReason } from '../../../src/session/request.js';
import { type SessionHandlers, SessionServer } from '../../../src/session/server.js';
import type { SessionState } from '../../../src/session/state.js';
import { CHAP, IPCP, ipcp, type Link as PppLink } from '../ppp/frames.js';
import { EXAMPLES } from '../pptp/examples.js';
import { aHandoff } from './a-handoff.js';
import { ALink, AStandby } from './a-link.js';
import { ClientSocket, settled } from './client-socket.js';
import { LogLines } from './log-lines.js';

const START = EXAMPLES.StartControlConnectionRequest.message;
const REQUEST = EXAMPLES.OutgoingCallRequest.message;
const CLEAR: ControlMessage = { type: 'CallClearRequest', callId: REQUEST.callId };
const STOP: ControlMessage = { type: 'StopControlConnectionRequest', reason: 1 };
const STOP_REPLY: ControlMessage = { type: 'StopControlConnectionReply', resultCode: 1, errorCode: 0 };
/** The server's call id. */
const OURS = aHandoff().lease.callId;
/** When the test begins, milliseconds since the epoch. */
const SINCE = Date.UTC(2026, 10, 23, 10, 0, 0);
/** Longer than steps of a call wait before their state is published. */
const A_WHILE = 1;
const ESTABLISH = 30;

/** `Fixture.ending` of a session that has not ended. */
const LIVES = [undefined, undefined];

/** A login that pppd refuses, and one that brings the link up. */
const failLogin = (frames: PppLink): void => {
  frames.open();
  frames.challenge();
  frames.respond('alice');
  frames.server(CHAP, 4, 7, 'E=691 R=0 C=00 V=3 M=Access denied');
};
const comeUp = (frames: PppLink): void => {
  frames.login();
  frames.agree(IPCP, ipcp.address('203.0.113.10'), ipcp.address('203.0.113.1'));
};

class Fixture {
  readonly client = new ClientSocket();
  readonly lines = new LogLines('debug');
  readonly session: Session;
  readonly states: SessionState[] = [];
  readonly standbys: AStandby[] = [];
  handlers!: SessionHandlers;
  server!: SessionServer;
  /** The process in the record, each time it was written or updated. */
  readonly recorded: (ProcessIdentity | null)[] = [];
  /** `agreedRemote` of the last record. */
  agreedRemote: string | undefined;
  /** Events whose order matters. */
  readonly order: string[] = [];
  reopened = 0;
  readonly #t: TestContext;
  /** Monotonic time, seconds. */
  #now = 5000;

  constructor(t: TestContext, configuration: ConfigurationInput = {}, parts: Partial<Handoff> = {}) {
    const { title } = process;
    t.after(() => (process.title = title));
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: SINCE });
    t.mock.method(process, 'hrtime', () => [Math.floor(this.#now), Math.round((this.#now % 1) * 1e9)]);
    this.#t = t;
    const firstBytes = encode(START).toString('base64');
    const { lines } = this;
    this.session = new Session({
      handoff: aHandoff({ timeouts: { establish: ESTABLISH }, ...configuration }, { firstBytes, ...parts }),
      socket: this.client,
      linkKind: 'pppd',
      standby: this.newStandby(),
      newStandby: () => this.newStandby(),
      processLog: {
        log: lines.log,
        file: '/var/log/pptpd-ts/session-abc123.log',
        reopen: () => void (this.reopened += 1),
        moveTo: () => undefined,
        close: () => undefined,
      },
      record: {
        write: ({ pppd }) => {
          this.recorded.push(pppd);
          this.order.push('recorded');
        },
        update: ({ pppd, agreedRemote }) => {
          this.recorded.push(pppd);
          this.agreedRemote = agreedRemote;
        },
        remove: () => void this.order.push('record removed'),
      },
      newServer: (handlers) => {
        this.handlers = handlers;
        this.server = new SessionServer({ session: 'abc123', version: '0.1.0', handlers });
        t.mock.method(this.server, 'listen', async (path: string) => void this.order.push(`listens on ${path}`));
        t.mock.method(this.server, 'close', () => void this.order.push('socket closed'));
        return this.server;
      },
      onState: (state) => {
        this.states.push(state);
        this.order.push(`state: ${state.phase}`);
      },
      onOver: () => void this.order.push('over'),
    });
  }

  /** A session whose client has started its control connection. */
  static async started(
    t: TestContext,
    configuration: ConfigurationInput = {},
    parts: Partial<Handoff> = {},
  ): Promise<Fixture> {
    const fixture = new Fixture(t, configuration, parts);
    fixture.session.start();
    await settled();
    assert.deepEqual(fixture.takeTypes(), ['StartControlConnectionReply']);
    return fixture;
  }

  /** A session whose client has a call. */
  static async connected(
    t: TestContext,
    configuration: ConfigurationInput = {},
    parts: Partial<Handoff> = {},
  ): Promise<Fixture> {
    const fixture = await Fixture.started(t, configuration, parts);
    await fixture.call();
    return fixture;
  }

  newStandby(): AStandby {
    const standby = new AStandby();
    this.standbys.push(standby);
    return standby;
  }

  async send(...messages: readonly ControlMessage[]): Promise<void> {
    this.client.send(...messages);
    await settled();
  }

  async call(): Promise<void> {
    await this.send(REQUEST);
    this.link.tell({ type: 'ready' });
    await settled();
    assert.deepEqual(this.takeTypes(), ['OutgoingCallReply']);
  }

  /** The link of the last call. */
  get link(): ALink {
    const link = this.standbys.findLast(({ made }) => made !== null)?.made;
    assert(link);
    return link;
  }

  /** Types of the messages that the client has received since the last call. */
  takeTypes(): string[] {
    return this.client.received.splice(0).map(({ type }) => type);
  }

  /** In steps, so that the time is right when a timer expires. */
  pass(seconds: number): void {
    for (let left = seconds; left > 0; left -= 0.5) {
      const step = Math.min(left, 0.5);
      this.#now += step;
      this.#t.mock.timers.tick(step * 1000);
    }
  }

  get phases(): string[] {
    return this.states.map(({ phase }) => phase);
  }

  get last(): SessionState {
    const state = this.states.at(-1);
    assert(state !== undefined, 'no state was published');
    return state;
  }

  /** Reason and detail of the end in the last state. */
  get ending(): readonly [reason: string | undefined, detail: string | null | undefined] {
    const { reason, detail } = this.last.ending ?? {};
    return [reason, detail];
  }

  get isOver(): boolean {
    return this.order.includes('over');
  }

  /** The causes of the warnings in the log. */
  get failures(): unknown[] {
    return this.lines.all.flatMap(({ level, cause }) => (level === 'warn' && cause !== undefined ? [cause] : []));
  }

  get ends(): string[] {
    return this.lines.at('info').filter((line) => line.startsWith('session ended'));
  }
}

describe('the beginning', () => {
  test('the record is written before the socket listens', async (t) => {
    const fixture = new Fixture(t, { runDirectory: '/run/test' });
    await fixture.session.register();
    assert.deepEqual(fixture.order, ['recorded', 'listens on /run/test/sessions/abc123.sock']);
    assert.deepEqual(fixture.recorded, [fixture.standbys[0]?.process]);
  });

  test('the bytes that the manager has read are answered', async (t) => {
    await Fixture.started(t);
  });

  test('the state of a session without a call', async (t) => {
    const fixture = await Fixture.started(t);
    const { version, pid, ...state } = fixture.session.state();
    assert.match(version, /^\d+\.\d+\.\d+$/);
    assert.equal(pid, process.pid);
    assert.deepEqual(state, {
      session: 'abc123',
      since: SINCE,
      phase: 'connected',
      ending: null,
      warning: null,
      peer: { address: '198.51.100.7', port: 40_123 },
      localAddress: '192.0.2.1',
      callId: OURS,
      peerCallId: null,
      tunnel: { local: '203.0.113.1', remote: '203.0.113.10' },
      user: null,
      pppdPid: null,
      link: null,
      interface: null,
      limits: null,
      speed: null,
      log: { level: 'debug', file: '/var/log/pptpd-ts/session-abc123.log' },
      ppp: null,
      counters: null,
    });
  });
});

describe('phases', () => {
  test('are published: the first steps of a call together, then login, up and the end at once', async (t) => {
    const fixture = await Fixture.connected(t);
    assert.deepEqual(fixture.phases, [], 'the client gets its answer first');
    fixture.pass(A_WHILE);
    assert.deepEqual(fixture.phases, ['negotiating']);
    fixture.link.play((frames) => frames.login());
    assert.deepEqual(fixture.phases, ['negotiating', 'negotiating']);
    fixture.link.play(comeUp);
    assert.equal(fixture.last.phase, 'up');
    await fixture.send(STOP);
    assert.equal(fixture.last.phase, 'ending');
    assert.deepEqual(new Set(fixture.phases), new Set(['negotiating', 'up', 'ending']));
  });

  test('are published on the session’s socket as well', async (t) => {
    const fixture = await Fixture.connected(t);
    const published = t.mock.method(fixture.server, 'publish', () => undefined);
    fixture.pass(A_WHILE);
    fixture.link.play(comeUp);
    await fixture.send(STOP);
    assert.deepEqual(
      published.mock.calls.map(({ arguments: [state] }) => state),
      fixture.states,
    );
  });

  test('each step of the PPP negotiation is logged', async (t) => {
    const fixture = await Fixture.connected(t);
    fixture.link.play(comeUp);
    assert.deepEqual(
      fixture.lines.at('info').filter((line) => line.startsWith('PPP: ')),
      fixture.link.frames.types.map((type) => `PPP: ${type}`),
    );
  });

  test('a call whose PPP is not running yet is starting', async (t) => {
    const fixture = await Fixture.started(t);
    await fixture.send(REQUEST);
    fixture.pass(A_WHILE);
    assert.deepEqual(fixture.phases, ['starting']);
  });

  test('after a call was cleared the session is connected', async (t) => {
    const fixture = await Fixture.connected(t);
    fixture.link.play(comeUp);
    await fixture.send(CLEAR);
    assert.equal(fixture.last.phase, 'connected');
    const line = fixture.lines.all.find(({ msg }) => msg === 'call ended: the client cleared the call');
    assert.deepEqual(line?.['counters'], fixture.link.counted);
    assert.deepEqual([fixture.last.ppp, fixture.last.user, fixture.last.peerCallId], [null, null, null]);
  });

  test('a restarted PPP negotiation does not change the phase', async (t) => {
    const fixture = await Fixture.connected(t);
    fixture.link.play(comeUp);
    fixture.link.play((frames) => frames.open());
    fixture.pass(A_WHILE);
    assert.equal(fixture.last.phase, 'up');
  });

  test('a state has the data of call and PPP', async (t) => {
    const fixture = await Fixture.connected(t, { addresses: { delegate: true } });
    fixture.link.counted.rxPackets = 17;
    fixture.link.play(comeUp);
    const { user, peerCallId, pppdPid, counters, ppp } = fixture.last;
    assert.deepEqual([user, peerCallId, pppdPid], ['alice', REQUEST.callId, fixture.link.process?.pid]);
    assert.equal(counters?.['rxPackets'], 17);
    assert.deepEqual(ppp, fixture.link.ppp);
  });

  test('a state has the kind of the link, and the interface unless it is pppd’s', async (t) => {
    const fixture = await Fixture.connected(t);
    const shown = (): unknown[] => {
      const { link, interface: name } = fixture.session.state();
      return [link, name];
    };
    fixture.link.interface = 'ppp0';
    assert.deepEqual(shown(), ['pppd', null]);
    fixture.link.kind = 'tun';
    assert.deepEqual(shown(), ['tun', 'ppp0']);
  });

  const leases: Readonly<Record<string, Pick<Handoff['lease'], 'local' | 'remote'>>> = {
    'the addresses of the lease': { local: '203.0.113.1', remote: '203.0.113.10' },
    'no addresses': { local: null, remote: null },
  };
  for (const [what, addresses] of Object.entries(leases)) {
    test(`the tunnel has ${what}, and from up to the end of the call the agreed addresses`, async (t) => {
      const fixture = await Fixture.connected(t, {}, { lease: { ...addresses, callId: OURS } });
      assert.deepEqual(fixture.session.state().tunnel, addresses);
      fixture.link.play((frames) => frames.login());
      assert.deepEqual(fixture.last.tunnel, addresses);
      fixture.link.play((frames) => frames.agree(IPCP, ipcp.address('203.0.113.77'), ipcp.address('203.0.113.2')));
      assert.deepEqual(fixture.last.tunnel, { local: '203.0.113.2', remote: '203.0.113.77' });
      assert.equal(fixture.agreedRemote, '203.0.113.77');
      await fixture.send(CLEAR);
      assert.deepEqual([fixture.last.tunnel, fixture.agreedRemote], [addresses, undefined]);
    });
  }
});

describe('the end', () => {
  interface Ending {
    readonly reason: string;
    readonly detail: string | null;
    readonly cause: string | null;
  }
  const ENDINGS: Readonly<Record<string, readonly [end: (fixture: Fixture) => void, ending: Ending]>> = {
    'the client stops': [
      ({ client }) => client.send(STOP),
      { reason: 'clientStopped', detail: null, cause: 'clientLeft' },
    ],
    'the client closes': [
      ({ client }) => client.sendEnd(),
      { reason: 'clientClosed', detail: null, cause: 'clientLeft' },
    ],
    'the network breaks the connection': [
      ({ client }) => client.fail('read ECONNRESET'),
      { reason: 'connectionFailed', detail: 'read ECONNRESET', cause: 'connectionFailed' },
    ],
    'the client sends bytes that are not PPTP': [
      ({ client }) => client.sendBytes(Buffer.from('GET / HTTP/1.1\r\n\r\n')),
      {
        reason: 'protocolError',
        detail: 'magic cookie 0x2f204854, not 0x1a2b3c4d',
        cause: 'protocolError',
      },
    ],
    'the client is silent': [
      (fixture) => fixture.pass(120),
      { reason: 'clientSilent', detail: 'no Echo-Reply within 60 s', cause: 'clientVanished' },
    ],
    'pppd ends': [
      ({ link }) => link.tell({ type: 'ended', cause: { kind: 'signal', signal: 9, words: '' } }),
      { reason: 'pppdExited', detail: 'pppd was killed by signal 9', cause: 'pppdDied' },
    ],
    'the relay fails': [
      ({ link }) => link.tell({ type: 'ended', cause: { kind: 'gre', step: 'send GRE packets', problem: 'EINVAL' } }),
      { reason: 'relayFailed', detail: 'cannot send GRE packets: EINVAL', cause: 'relayFailed' },
    ],
    'the administrator ends it': [
      ({ handlers }) => void handlers.disconnect({ id: 1, op: 'disconnect', reason: 'kicked', detail: 'by root' }),
      { reason: 'kicked', detail: 'by root', cause: null },
    ],
    'the worker is told to end': [
      ({ session }) => void session.close({ reason: 'kicked' }),
      { reason: 'kicked', detail: null, cause: null },
    ],
  };
  for (const [what, [end, ending]] of Object.entries(ENDINGS)) {
    test(`${what}: published and logged once, with reason, detail and cause`, async (t) => {
      const fixture = await Fixture.connected(t);
      fixture.link.play((frames) => frames.open());
      end(fixture);
      await settled();
      if (!fixture.isOver) await fixture.send(STOP_REPLY);
      const { reason, detail, cause, text } = fixture.last.ending ?? {};
      assert.deepEqual({ reason, detail, cause }, ending);
      assert.deepEqual(fixture.failures, ending.cause === null ? [] : [ending.cause]);
      if (ending.cause !== null)
        assert.deepEqual(
          fixture.lines.at('warn').filter((line) => line === `login failed: ${text}`),
          [`login failed: ${text}`],
        );
      const said = CLOSE_REASONS[ending.reason as keyof typeof CLOSE_REASONS].text;
      assert.deepEqual(fixture.ends, [`session ended: ${said}${ending.detail === null ? '' : ` (${ending.detail})`}`]);
      assert.deepEqual(
        fixture.order.filter((each) => each === 'over'),
        ['over'],
      );
    });
  }

  test('has an order: state, call, files of the run directory, onOver', async (t) => {
    const fixture = await Fixture.connected(t);
    fixture.link.closesAtOnce = false;
    fixture.pass(A_WHILE);
    fixture.order.length = 0;
    fixture.client.send(STOP);
    await settled();
    assert.deepEqual(fixture.order, ['state: ending']);
    assert.deepEqual(fixture.takeTypes(), ['CallDisconnectNotify', 'StopControlConnectionReply']);
    assert.deepEqual(fixture.ends, []);
    fixture.link.isGone();
    await settled();
    assert.deepEqual(fixture.order, ['state: ending', 'record removed', 'socket closed', 'over']);
    assert.equal(fixture.client.destroyed, true);
  });

  test('waits for the client if the call is over first', async (t) => {
    const fixture = await Fixture.connected(t);
    void fixture.session.close({ reason: 'serverShutdown' });
    await settled();
    assert.deepEqual(fixture.takeTypes(), ['CallDisconnectNotify', 'StopControlConnectionRequest']);
    assert.equal(fixture.isOver, false);
    await fixture.send(STOP_REPLY);
    assert.equal(fixture.isOver, true);
  });

  test('has the first reason, whatever comes later', async (t) => {
    const fixture = await Fixture.connected(t);
    const closed = [fixture.session.close({ reason: 'kicked' }), fixture.session.close({ reason: 'serverShutdown' })];
    fixture.link.tell({ type: 'ended', cause: { kind: 'exit', code: 5, words: '', complaint: null } });
    fixture.client.sendEnd();
    await Promise.all(closed);
    assert.equal(fixture.last.ending?.reason, 'kicked');
    assert.equal(fixture.ends.length, 1);
    assert.equal(fixture.order.filter((each) => each === 'over').length, 1);
  });

  test('a login that pppd finishes while it is told to end does not count', async (t) => {
    const fixture = await Fixture.connected(t);
    fixture.link.closesAtOnce = false;
    void fixture.session.close({ reason: 'kicked' });
    fixture.link.play(comeUp);
    fixture.link.isGone();
    await fixture.send(STOP_REPLY);
    assert.deepEqual([fixture.isOver, fixture.last.phase, fixture.last.user], [true, 'ending', null]);
  });

  test('is logged with duration, user and counters', async (t) => {
    const fixture = await Fixture.connected(t);
    fixture.link.counted.txBytes = 1234;
    fixture.link.play(comeUp);
    fixture.pass(45.5);
    await fixture.send(STOP);
    const line = fixture.lines.all.find(({ msg }) => msg.startsWith('session ended'));
    assert(line !== undefined);
    const { reason, user, seconds, counters } = line;
    assert.deepEqual([reason, user, seconds], ['clientStopped', 'alice', 46]);
    assert.equal('detail' in line, false);
    assert.deepEqual(counters, { ...fixture.link.counted });
  });

  test('comes when the client starts no call in time', async (t) => {
    const fixture = await Fixture.started(t);
    fixture.pass(ESTABLISH);
    await fixture.send(STOP_REPLY);
    const { reason, detail, cause, text } = fixture.last.ending ?? {};
    assert.deepEqual([reason, detail, cause], ['noCall', `no call within ${ESTABLISH} s`, 'noCall']);
    assert.match(text ?? '', new RegExp(`started no call within ${ESTABLISH} s`));
    assert.deepEqual([fixture.isOver, fixture.failures], [true, ['noCall']]);
  });

  test('a client that cleared its call and starts no other: the log does not say that it never called', async (t) => {
    const fixture = await Fixture.connected(t);
    fixture.link.play(comeUp);
    await fixture.send(CLEAR);
    fixture.takeTypes();
    fixture.pass(ESTABLISH);
    await fixture.send(STOP_REPLY);
    const detail = `no new call within ${ESTABLISH} s after clearing the last one`;
    const { cause, text } = fixture.last.ending ?? {};
    assert.deepEqual([...fixture.ending, cause, text], ['noCall', detail, null, null]);
    const line = fixture.lines.all.find(({ msg }) => msg.startsWith('session ended'));
    assert.equal(line?.['detail'], detail);
  });

  test('leaves no timer', async (t) => {
    const fixture = await Fixture.connected(t, { policy: { sessionTime: 100, idleTime: 50 } });
    fixture.link.play(comeUp);
    await fixture.send(STOP);
    const [states, lines] = [fixture.states.length, fixture.lines.all.length];
    fixture.pass(1000);
    assert.deepEqual([fixture.states.length, fixture.lines.all.length], [states, lines]);
  });

  test('is logged after the number of omitted lines', async (t) => {
    const fixture = await Fixture.connected(t);
    for (let round = 0; round < 200; round += 1) fixture.client.send({ type: 'EchoRequest', identifier: round });
    await fixture.send(STOP);
    const [omitted, end, ...more] = fixture.lines.all.slice(-3).map(({ msg }) => msg);
    assert.match(omitted ?? '', /^\d+ log lines about the client's messages were omitted/);
    assert.match(end ?? '', /^login failed: /);
    assert.match(more[0] ?? '', /^session ended: /);
  });
});

test('the account is kept from the beginning, and written with the sums of all calls before the session is over', async (t) => {
  const runDirectory = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
  t.after(() => rmSync(runDirectory, { recursive: true }));
  const file = join(runDirectory, 'accounting.jsonl');
  const fixture = await Fixture.started(t, { runDirectory, accounting: { file } });
  assert(existsSync(accountPath(runDirectory, 'abc123')));
  for (const rxBytes of [100, 20]) {
    await fixture.call();
    fixture.link.play(comeUp);
    fixture.link.counted.rxBytes = rxBytes;
    await fixture.send(CLEAR);
    fixture.takeTypes();
  }
  let written = '';
  // The socket closes after the account was written.
  t.mock.method(fixture.server, 'close', () => (written = readFileSync(file, 'utf8')));
  await fixture.session.close({ reason: 'clientStopped' });
  assert.deepEqual(fixture.order.slice(-1), ['over']);
  const { record, user, rxBytes, reason }: AccountRecord = JSON.parse(written);
  assert.deepEqual([record, user, rxBytes, reason], ['ended', 'alice', 120, 'clientStopped']);
});

describe('a failure', () => {
  test('of a login whose call the client then clears is logged once', async (t) => {
    const fixture = await Fixture.connected(t);
    fixture.link.play(failLogin);
    await fixture.send(CLEAR);
    assert.deepEqual(fixture.failures, ['authenticationFailed']);
    const line = fixture.lines.all.find(({ cause }) => cause === 'authenticationFailed');
    assert.deepEqual([line?.['user'], line?.['failure']], ['alice', fixture.link.ppp.failure]);
    await fixture.send(STOP);
    assert.deepEqual(fixture.failures, ['authenticationFailed']);
    // It stays in the state, by which the manager counts.
    assert.deepEqual(
      [fixture.last.ending?.reason, fixture.last.ending?.cause],
      ['clientStopped', 'authenticationFailed'],
    );
  });

  test('is logged once as well if the client is gone before its call is over', async (t) => {
    const fixture = await Fixture.connected(t);
    fixture.link.closesAtOnce = false;
    fixture.link.play(failLogin);
    await fixture.send(CLEAR);
    assert.deepEqual(fixture.failures, []);
    fixture.client.sendEnd();
    await settled();
    fixture.link.isGone();
    await settled();
    assert.deepEqual([fixture.failures, fixture.isOver], [['authenticationFailed'], true]);
    assert.equal(fixture.last.ending?.cause, 'authenticationFailed');
  });

  test('is logged for each call', async (t) => {
    const fixture = await Fixture.connected(t);
    fixture.link.play(failLogin);
    await fixture.send(CLEAR);
    fixture.takeTypes();
    await fixture.call();
    fixture.link.play(failLogin);
    await fixture.send(CLEAR);
    assert.deepEqual(fixture.failures, ['authenticationFailed', 'authenticationFailed']);
    fixture.takeTypes();
    await fixture.call();
    fixture.link.play(comeUp);
    await fixture.send(STOP);
    assert.equal(fixture.failures.length, 2, 'the last call has not failed');
    assert.equal(fixture.last.ending?.cause, null);
  });

  test('of a login is published at once, and before the call is cleared', async (t) => {
    const fixture = await Fixture.connected(t);
    fixture.pass(A_WHILE);
    fixture.link.play(failLogin);
    const before = fixture.states.length;
    assert.equal(fixture.link.ppp.authentication.result, 'failed');
    assert.deepEqual(fixture.last.ppp, fixture.link.ppp);
    fixture.link.play((frames) => frames.open());
    await fixture.send(CLEAR);
    assert.deepEqual(fixture.phases.slice(before), ['negotiating', 'connected'], 'the pending step, then the end');
  });
});

describe('an MTU black hole', () => {
  test('is a warning in log and state; the session goes on, and the next call has no warning', async (t) => {
    const fixture = await Fixture.connected(t);
    fixture.link.play(comeUp);
    fixture.link.tell({ type: 'blackHole', arrives: 92, missing: 1404 });
    assert.equal(fixture.last.warning?.cause, 'mtuBlackHole');
    assert.match(fixture.last.warning?.text ?? '', /from 192\.0\.2\.1 to 198\.51\.100\.7.* 1404 octets.*up to 92/);
    assert.equal(fixture.last.phase, 'up');
    const lines = fixture.lines.all.filter(({ cause }) => cause === 'mtuBlackHole');
    assert.deepEqual(
      lines.map(({ level, arrives, missing, msg }) => [level, arrives, missing, msg]),
      [['warn', 92, 1404, fixture.last.warning?.text]],
    );
    await fixture.send(CLEAR);
    fixture.takeTypes();
    await fixture.call();
    fixture.pass(A_WHILE);
    assert.equal(fixture.last.warning, null);
  });
});

describe('a probe because another session has the client’s address and call id', () => {
  const OTHER = 'zzz999';
  const SIGN_SECONDS = 3;
  const ECHO_REPLY: ControlMessage = { type: 'EchoReply', identifier: 1, resultCode: 1, errorCode: 0 };
  const probe = ({ handlers }: Fixture): unknown => handlers.probe({ id: 1, op: 'probe', by: OTHER });
  const warnings = (fixture: Fixture): unknown[] =>
    fixture.lines.all.flatMap(({ level, cause, other, peerCallId }) =>
      cause === 'callIdShared' ? [[level, other, peerCallId]] : [],
    );

  test('holds back packets to the client until it gives a sign of life, which is a warning', async (t) => {
    const fixture = await Fixture.connected(t);
    fixture.link.play(comeUp);
    probe(fixture);
    await settled();
    assert.deepEqual([fixture.takeTypes(), fixture.link.isHeldBack], [['EchoRequest'], true]);
    assert.deepEqual(warnings(fixture), []);
    await fixture.send(ECHO_REPLY);
    assert.deepEqual([fixture.link.isHeldBack, fixture.last.phase], [false, 'up']);
    assert.equal(fixture.last.warning?.cause, 'callIdShared');
    assert.match(fixture.last.warning.text, /^session zzz999 also called from 198\.51\.100\.7/);
    assert.deepEqual(warnings(fixture), [['warn', OTHER, REQUEST.callId]]);
    fixture.pass(SIGN_SECONDS);
    assert.deepEqual(fixture.ending, LIVES);
  });

  test('asks again after a first one, but does not hold back or warn again', async (t) => {
    const fixture = await Fixture.connected(t);
    probe(fixture);
    await fixture.send(ECHO_REPLY);
    probe(fixture);
    await settled();
    assert.deepEqual([fixture.takeTypes(), fixture.link.isHeldBack], [['EchoRequest', 'EchoRequest'], false]);
    await fixture.send(ECHO_REPLY);
    assert.equal(warnings(fixture).length, 1);
  });

  test('without an answer ends the session without a stop request; pppd is hung up', async (t) => {
    const fixture = await Fixture.connected(t);
    probe(fixture);
    await settled();
    fixture.takeTypes();
    fixture.pass(SIGN_SECONDS);
    await settled();
    assert.deepEqual(fixture.ending, ['calledAgain', 'no Echo-Reply within 3 s']);
    assert.deepEqual([fixture.takeTypes(), fixture.isOver], [['CallDisconnectNotify'], true]);
    assert.deepEqual(fixture.link.closes, [{ peerGone: true, terminateCause: 2 }]);
    assert.deepEqual(warnings(fixture), []);
  });

  test('has no effect without a call', async (t) => {
    const fixture = await Fixture.started(t);
    probe(fixture);
    await settled();
    fixture.pass(SIGN_SECONDS);
    assert.deepEqual([fixture.takeTypes(), fixture.ending], [[], LIVES]);
  });
});

describe('limits', () => {
  /** How late an idle session may end: a tenth of the limit, and a step of the test's clock, seconds. */
  const LATE = 6;

  test('policy.sessionTime counts from up', async (t) => {
    const fixture = await Fixture.connected(t, { policy: { sessionTime: 40 }, timeouts: { echoInterval: 10_000 } });
    fixture.link.play((frames) => frames.open());
    fixture.pass(100);
    assert.deepEqual(fixture.ending, LIVES);
    fixture.link.play(comeUp);
    fixture.pass(39.5);
    assert.deepEqual(fixture.ending, LIVES);
    fixture.pass(0.5);
    assert.deepEqual(fixture.ending, ['sessionTime', '40 s']);
  });

  test('policy.idleTime counts from the client’s last data; control frames do not count', async (t) => {
    const fixture = await Fixture.connected(t, { policy: { idleTime: 50 }, timeouts: { echoInterval: 10_000 } });
    fixture.link.counted.rxPackets = 8;
    fixture.link.play(comeUp);
    fixture.pass(45);
    // An LCP Echo-Request is a packet and a control frame.
    fixture.link.counted.rxPackets += 1;
    fixture.link.play((frames) => frames.client(0xc021, 9, 1, [0, 0, 0, 0]));
    fixture.pass(5 + LATE);
    assert.deepEqual(fixture.ending, ['idle', '50 s']);
  });

  test('data keeps an idle session alive', async (t) => {
    const fixture = await Fixture.connected(t, { policy: { idleTime: 50 }, timeouts: { echoInterval: 10_000 } });
    fixture.link.play(comeUp);
    for (let round = 0; round < 5; round += 1) {
      fixture.pass(40);
      fixture.link.counted.rxPackets += 1;
    }
    assert.deepEqual(fixture.ending, LIVES);
  });

  test('a cleared call is not limited any more', async (t) => {
    const limits = { sessionTime: 20, idleTime: 20 };
    const fixture = await Fixture.connected(t, { policy: limits, timeouts: { establish: 1000, echoInterval: 10_000 } });
    fixture.link.play(comeUp);
    await fixture.send(CLEAR);
    fixture.pass(100);
    assert.deepEqual(fixture.ending, LIVES);
  });
});

describe('a request on the session’s socket', () => {
  const disconnect = (reason: DisconnectReason): Parameters<SessionHandlers['disconnect']>[0] => ({
    id: 1,
    op: 'disconnect',
    reason,
  });

  test('state is answered with the state', async (t) => {
    const fixture = await Fixture.started(t);
    assert.deepEqual(fixture.handlers.state({ id: 1, op: 'state' }), fixture.session.state());
  });

  test('to make room ends a session without a call, without a stop request', async (t) => {
    const fixture = await Fixture.started(t);
    fixture.handlers.disconnect(disconnect('madeRoom'));
    await settled();
    assert.deepEqual([fixture.last.ending?.reason, fixture.isOver, fixture.takeTypes()], ['madeRoom', true, []]);
  });

  for (const phase of ['starting', 'connected'] as const) {
    test(`to make room is refused with a call that is ${phase}`, async (t) => {
      const fixture = await Fixture.started(t);
      if (phase === 'connected') await fixture.call();
      else await fixture.send(REQUEST);
      assert.throws(() => fixture.handlers.disconnect(disconnect('madeRoom')), /^Error: it has a call$/);
      fixture.handlers.disconnect(disconnect('serverShutdown'));
      await settled();
      assert.equal(fixture.last.ending?.reason, 'serverShutdown');
    });
  }

  test('to make room ends a session whose call was cleared', async (t) => {
    const fixture = await Fixture.connected(t);
    await fixture.send(CLEAR);
    fixture.handlers.disconnect(disconnect('madeRoom'));
    await settled();
    assert.equal(fixture.isOver, true);
  });

  test('to reopen the log does so', async (t) => {
    const fixture = await Fixture.started(t);
    fixture.handlers.reopenLog({ id: 1, op: 'reopenLog' });
    assert.equal(fixture.reopened, 1);
  });

  test('to change the limits changes those of the call, and is published; without a call it is refused', async (t) => {
    const fixture = await Fixture.started(t);
    const change = { id: 1, op: 'limits', sessionTime: 60 } as const;
    assert.throws(() => fixture.handlers.limits(change), /^Error: it has no call$/);
    await fixture.call();
    fixture.link.limits = { account: null, sessions: null, sessionTime: 1000, idleTime: 30, filter: 'guests' };
    fixture.link.play(comeUp);
    fixture.handlers.limits(change);
    assert.deepEqual(fixture.last.limits, {
      account: null,
      sessions: null,
      sessionTime: 60,
      idleTime: 30,
      filter: 'guests',
    });
  });

  test('to change the log level is answered, published and logged; null means the configured level', async (t) => {
    const fixture = await Fixture.started(t, { log: { level: 'warn' } });
    const steps = [
      ['trace', 'trace'],
      [null, 'warn'],
    ] as const;
    for (const [level, becomes] of steps) {
      assert.deepEqual(fixture.handlers.logLevel({ id: 1, op: 'logLevel', level }), { level: becomes });
      assert.deepEqual([fixture.lines.log.level, fixture.last.log?.level], [becomes, becomes]);
    }
    assert.deepEqual(
      fixture.lines.all.flatMap(({ from, to }) => (from === undefined ? [] : [[from, to]])),
      [
        ['debug', 'trace'],
        ['trace', 'warn'],
      ],
    );
  });

  test('to capture gets control messages and PPP frames of both directions, until nobody captures any more', async (t) => {
    const fixture = await Fixture.started(t);
    const shown: [Captured, string][] = [];
    fixture.server.captures.onDemand((captured, bytes) => shown.push([captured, Buffer.from(bytes).toString('hex')]));
    await fixture.call();
    fixture.link.tap?.('fromClient', Buffer.from('c021', 'hex'));
    fixture.link.tap?.('toClient', Buffer.from('8021', 'hex'));
    const reply = shown.filter(([captured]) => captured === 'controlToClient');
    assert.deepEqual(
      shown.filter(([captured]) => captured !== 'controlToClient'),
      [
        ['controlFromClient', EXAMPLES.OutgoingCallRequest.bytes.toString('hex')],
        ['pppFromClient', 'c021'],
        ['pppToClient', '8021'],
      ],
    );
    assert.equal(reply.length, 1);
    fixture.server.captures.onDemand(null);
    await fixture.send({ type: 'EchoRequest', identifier: 1 });
    assert.deepEqual([fixture.link.tap, shown.length], [null, 4]);
  });
});

describe('the record', () => {
  test('names the process of each call that must not outlive the session', async (t) => {
    const fixture = await Fixture.connected(t);
    const first = fixture.link.process;
    await fixture.send(CLEAR);
    fixture.takeTypes();
    await fixture.call();
    assert.deepEqual(fixture.recorded, [first, null, fixture.link.process]);
  });
});

test('the process has the title by which scripts made for pptpd find it', async (t) => {
  await Fixture.connected(t);
  assert.equal(process.title, 'pptpd [198.51.100.7:1234 - 0ABC]');
});

describe('a request about the call', () => {
  test('of another client is ignored', async (t) => {
    const fixture = await Fixture.connected(t);
    await fixture.send({ type: 'CallClearRequest', callId: 0x7777 });
    assert.deepEqual([fixture.takeTypes(), fixture.link.closes], [[], []]);
  });

  test('to set the ACCM reaches the link', async (t) => {
    const fixture = await Fixture.connected(t);
    const info: MessageOf<'SetLinkInfo'> = { type: 'SetLinkInfo', peerCallId: OURS, sendAccm: 0x0a, receiveAccm: 0 };
    await fixture.send(info);
    assert.equal(fixture.link.sendAccm, 0x0a);
  });
});
