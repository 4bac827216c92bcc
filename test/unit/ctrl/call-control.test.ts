/** The call of a control connection, with a link in memory: every event in every state. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { CallControl, type CallEvent } from '../../../src/ctrl/call-control.js';
import { PeerLog } from '../../../src/ctrl/peer-log.js';
import type { SessionEnd } from '../../../src/ctrl/session-end.js';
import { Timers } from '../../../src/ctrl/timers.js';
import type { EndCause } from '../../../src/link/end-cause.js';
import type { LinkEvent, LinkKind } from '../../../src/link/link.js';
import type { ControlMessage, MessageOf } from '../../../src/pptp/index.js';
import { TERMINATE_CAUSES } from '../../../src/ctrl/terminate-cause.js';
import { CLOSE_REASONS, type CloseReason } from '../../../src/session/close-reason.js';
import { aHandoff } from './a-handoff.js';
import { ALink, AStandby } from './a-link.js';
import { settled } from './client-socket.js';
import { LogLines } from './log-lines.js';

const ESTABLISH = 30;
const HANDOFF = aHandoff({ timeouts: { establish: ESTABLISH }, pppd: { path: '/usr/sbin/pppd' } });
/** The call ids of the server and of the client, and one that neither uses. */
const [OURS, THEIRS, FOREIGN] = [HANDOFF.lease.callId, 0x4321, 0x7777];

const REQUEST: MessageOf<'OutgoingCallRequest'> = {
  type: 'OutgoingCallRequest',
  callId: THEIRS,
  callSerialNumber: 1,
  minimumBps: 2400,
  maximumBps: 1_000_000_000,
  bearerType: 3,
  framingType: 3,
  receiveWindowSize: 50,
  packetProcessingDelay: 0,
  phoneNumberLength: 0,
  phoneNumber: '',
  subaddress: '',
};
const ACCEPTED: ControlMessage = {
  type: 'OutgoingCallReply',
  callId: OURS,
  peerCallId: THEIRS,
  resultCode: 1,
  errorCode: 0,
  causeCode: 0,
  connectSpeed: 100_000_000,
  receiveWindowSize: 64,
  packetProcessingDelay: 0,
  physicalChannelId: 0,
};
/** Result 2, general error, with an error code of RFC 2637 §2.16. */
const refused = (errorCode: number, peerCallId = THEIRS): ControlMessage => ({
  type: 'OutgoingCallReply',
  callId: 0,
  peerCallId,
  resultCode: 2,
  errorCode,
  causeCode: 0,
  connectSpeed: 0,
  receiveWindowSize: 0,
  packetProcessingDelay: 0,
  physicalChannelId: 0,
});
const [BAD_VALUE, NO_RESOURCE, PAC_ERROR] = [3, 4, 6];
/** With the statistics of a link without packets. */
const notice = (resultCode: number): ControlMessage => ({
  type: 'CallDisconnectNotify',
  callId: OURS,
  resultCode,
  // Only a general error has an error code.
  errorCode: resultCode === 2 ? PAC_ERROR : 0,
  causeCode: 0,
  callStatistics: 'rx 0 packets 0 bytes, tx 0 packets 0 bytes',
});
const CLEARED = notice(4);
const clearRequest = (callId: number): MessageOf<'CallClearRequest'> => ({ type: 'CallClearRequest', callId });
const setLinkInfo = (peerCallId: number): MessageOf<'SetLinkInfo'> => ({
  type: 'SetLinkInfo',
  peerCallId,
  sendAccm: 0x000a0000,
  receiveAccm: 0xffffffff,
});

class Fixture {
  readonly lines = new LogLines();
  readonly timers = new Timers();
  readonly sent: ControlMessage[] = [];
  readonly events: CallEvent[] = [];
  /** The standbys that were made, the first one before any call. */
  readonly standbys: AStandby[] = [];
  readonly control: CallControl;
  readonly #t: TestContext;
  /** Messages to the client and events to the owner, in order. */
  readonly order: string[] = [];
  newStandbyFails = false;
  /** Ends the call control when it emits `ended`, as a session does. */
  endsAtEnd = false;
  readonly ends: Promise<void>[] = [];

  constructor(t: TestContext, standby: 'ready' | 'none' = 'ready', linkKind: LinkKind = 'pppd') {
    t.mock.timers.reset();
    t.mock.timers.enable({ apis: ['setTimeout'] });
    this.#t = t;
    this.control = new CallControl({
      linkKind,
      standby: standby === 'ready' ? this.newStandby() : null,
      newStandby: () => this.newStandby(),
      handoff: HANDOFF,
      timers: this.timers,
      log: new PeerLog(this.lines.log, this.timers),
      send: (message) => {
        this.sent.push(message);
        this.order.push(message.type);
      },
      onEvent: (event) => this.#recv(event),
    });
  }

  newStandby(): AStandby {
    if (this.newStandbyFails) throw new Error('there is no more');
    const standby = new AStandby();
    // The test decides when a link has closed.
    standby.closesAtOnce = false;
    this.standbys.push(standby);
    return standby;
  }

  #recv(event: CallEvent): void {
    this.events.push(event);
    this.order.push(event.type);
    if (event.type === 'ended' && this.endsAtEnd) this.end(event.end.reason);
  }

  end(reason: CloseReason): void {
    this.ends.push(this.control.end(reason));
  }

  /** The link of the current call, or of the last one. */
  get link(): ALink {
    const link = this.control.call?.link;
    assert(link instanceof ALink);
    return link;
  }

  pass(seconds: number): void {
    this.#t.mock.timers.tick(seconds * 1000);
  }

  forget(): void {
    for (const list of [this.sent, this.events, this.order, this.lines.all]) list.length = 0;
  }

  get endsTold(): SessionEnd[] {
    return this.events.flatMap((event) => (event.type === 'ended' ? event.end : []));
  }
}

type State = 'waiting' | 'starting' | 'connected' | 'clearing' | 'endedWithoutCall' | 'endedWithCall';

const REACH: Readonly<Record<State, (fixture: Fixture) => void>> = {
  waiting: ({ control }) => control.awaitCall(),
  starting: (fixture) => {
    REACH.waiting(fixture);
    fixture.control.recvOutgoingCallRequest(REQUEST);
  },
  connected: (fixture) => {
    REACH.starting(fixture);
    fixture.link.tell({ type: 'ready' });
  },
  clearing: (fixture) => {
    REACH.connected(fixture);
    void fixture.control.clear();
  },
  endedWithoutCall: (fixture) => {
    REACH.waiting(fixture);
    fixture.end('kicked');
  },
  endedWithCall: (fixture) => {
    REACH.connected(fixture);
    fixture.end('kicked');
  },
};
const STATES = Object.keys(REACH) as readonly State[];
const WITHOUT_CALL: ReadonlySet<State> = new Set(['waiting', 'endedWithoutCall']);

function reach(t: TestContext, state: State): Fixture {
  const fixture = new Fixture(t);
  REACH[state](fixture);
  fixture.forget();
  return fixture;
}

describe('a call request', () => {
  test('without a call: the standby becomes a link, which starts after the event begun', (t) => {
    const fixture = reach(t, 'waiting');
    const [standby] = fixture.standbys;
    assert(standby !== undefined);
    standby.atStart = () => fixture.order.push('started');
    fixture.control.recvOutgoingCallRequest(REQUEST);
    assert.deepEqual(fixture.order, ['begun', 'started']);
    const { onEvent, ...options } = fixture.link.options;
    assert.equal(typeof onEvent, 'function');
    assert.deepEqual(options, {
      configuration: HANDOFF.configuration,
      session: HANDOFF.session,
      tunnel: HANDOFF.lease,
      peerAddress: HANDOFF.peer.address,
      localAddress: HANDOFF.localAddress,
      localCallId: OURS,
      peerCallId: THEIRS,
      peerWindow: 50,
    });
    assert.deepEqual(fixture.events, [{ type: 'begun', call: { request: REQUEST, link: fixture.link } }]);
    assert.equal(fixture.standbys.length, 1, 'the one that was there is used');
  });

  for (const state of STATES.filter((each) => each !== 'waiting')) {
    test(`${state}: refused with error ${NO_RESOURCE}, and nothing else changes`, (t) => {
      const fixture = reach(t, state);
      const { call } = fixture.control;
      fixture.control.recvOutgoingCallRequest({ ...REQUEST, callId: 9 });
      assert.deepEqual(fixture.sent, [refused(NO_RESOURCE, 9)]);
      assert.deepEqual(fixture.lines.at('warn'), ['call request refused: this control connection has a call']);
      assert.deepEqual([fixture.events, fixture.control.call], [[], call]);
    });
  }

  test(`with a bad value: refused with error ${BAD_VALUE}; a good one is accepted afterwards`, (t) => {
    const fixture = reach(t, 'waiting');
    for (const badValue of [{ bearerType: 4 }, { framingType: 4 }, { phoneNumberLength: 65 }]) {
      fixture.control.recvOutgoingCallRequest({ ...REQUEST, ...badValue });
      assert.deepEqual(fixture.sent.splice(0), [refused(BAD_VALUE)]);
    }
    assert.equal(fixture.control.call, null);
    assert.deepEqual(fixture.lines.at('warn'), [
      'call request refused: bearerType 4 of OutgoingCallRequest, not 1 to 3',
      'call request refused: framingType 4 of OutgoingCallRequest, not 1 to 3',
      'call request refused: phoneNumberLength 65 of OutgoingCallRequest, not 0 to 64',
    ]);
    fixture.control.recvOutgoingCallRequest(REQUEST);
    fixture.link.tell({ type: 'ready' });
    assert.deepEqual(fixture.sent, [ACCEPTED]);
  });

  test('with an invalid value that has no effect: accepted, and logged at level debug', (t) => {
    const fixture = reach(t, 'waiting');
    fixture.control.recvOutgoingCallRequest({ ...REQUEST, bearerType: 0, framingType: 0 });
    fixture.link.tell({ type: 'ready' });
    assert.deepEqual(fixture.sent, [ACCEPTED]);
    assert.deepEqual(fixture.lines.at('warn'), []);
    assert.deepEqual(
      fixture.lines.at('debug'),
      ['bearerType', 'framingType'].map(
        (field) => `a call request is accepted although it has ${field} 0 of OutgoingCallRequest, not 1 to 3`,
      ),
    );
  });

  test('if the standby has ended, another one is made', (t) => {
    const fixture = reach(t, 'waiting');
    const [first] = fixture.standbys;
    assert(first !== undefined);
    first.isOver = true;
    fixture.control.recvOutgoingCallRequest(REQUEST);
    assert.deepEqual([fixture.standbys.length, first.made], [2, null]);
    assert.equal(fixture.control.call?.link, fixture.standbys[1]?.made);
  });

  test('if there is no standby, one is made', (t) => {
    const fixture = new Fixture(t, 'none');
    assert.equal(fixture.control.process, null);
    fixture.control.recvOutgoingCallRequest(REQUEST);
    assert.equal(fixture.control.call?.link, fixture.standbys[0]?.made);
  });

  const problem = 'there is no more';
  for (const [linkKind, end] of [
    ['pppd', { reason: 'pppdFailed', cause: { kind: 'notStarted', program: '/usr/sbin/pppd', problem } }],
    ['tun', { reason: 'deviceFailed', cause: { kind: 'device', problem: `cannot prepare its data path: ${problem}` } }],
  ] as const)
    test(`if no standby can be made for ${linkKind}: refused once with error ${PAC_ERROR}, and the session ends with the cause`, async (t) => {
      const fixture = new Fixture(t, 'none', linkKind);
      fixture.newStandbyFails = true;
      fixture.endsAtEnd = true;
      fixture.control.recvOutgoingCallRequest(REQUEST);
      assert.deepEqual(fixture.sent, [refused(PAC_ERROR)]);
      assert.deepEqual(fixture.endsTold, [end]);
      await Promise.all(fixture.ends);
      fixture.pass(2 * ESTABLISH);
      assert.equal(fixture.endsTold.length, 1);
    });
});

describe('the link is ready', () => {
  const accepts: ReadonlySet<State> = new Set(['starting']);
  for (const state of STATES.filter((each) => !WITHOUT_CALL.has(each))) {
    test(`${state}: ${accepts.has(state) ? 'the call is accepted' : 'nothing'}`, (t) => {
      const fixture = reach(t, state);
      fixture.link.tell({ type: 'ready' });
      assert.deepEqual(fixture.sent, accepts.has(state) ? [ACCEPTED] : []);
      assert.deepEqual(fixture.events, accepts.has(state) ? [{ type: 'accepted' }] : []);
    });
  }

  test('while it starts: begun comes before accepted', (t) => {
    const fixture = reach(t, 'waiting');
    const [standby] = fixture.standbys;
    assert(standby !== undefined);
    standby.atStart = (link) => link.tell({ type: 'ready' });
    fixture.control.recvOutgoingCallRequest(REQUEST);
    assert.deepEqual(fixture.order, ['begun', 'OutgoingCallReply', 'accepted']);
  });
});

describe('the link ends by itself', () => {
  const EXIT: EndCause = { kind: 'exit', code: 10, words: '', complaint: null };
  const GRE: EndCause = { kind: 'gre', step: 'send GRE packets', problem: 'EINVAL' };
  const DEVICE: EndCause = { kind: 'device', problem: 'cannot open /dev/net/tun: ENOENT' };
  const rows: readonly (readonly [State, EndCause, SessionEnd, readonly ControlMessage[]])[] = [
    ['starting', EXIT, { reason: 'pppdFailed', cause: EXIT }, [refused(PAC_ERROR)]],
    ['starting', GRE, { reason: 'relayFailed', cause: GRE }, [refused(PAC_ERROR)]],
    ['starting', DEVICE, { reason: 'deviceFailed', cause: DEVICE }, [refused(PAC_ERROR)]],
    ['connected', EXIT, { reason: 'pppdExited', cause: EXIT }, [notice(1)]],
    ['connected', GRE, { reason: 'relayFailed', cause: GRE }, [notice(1)]],
    ['connected', DEVICE, { reason: 'deviceFailed', cause: DEVICE }, [notice(2)]],
  ];
  for (const [state, cause, end, sent] of rows) {
    test(`${state}, ${cause.kind}: ${end.reason}`, (t) => {
      const fixture = reach(t, state);
      fixture.endsAtEnd = true;
      fixture.link.tell({ type: 'ended', cause });
      assert.deepEqual([fixture.endsTold, fixture.sent], [[end], sent]);
    });
  }

  test('while it starts: begun comes before ended, and the request gets one answer', (t) => {
    const fixture = reach(t, 'waiting');
    fixture.endsAtEnd = true;
    const [standby] = fixture.standbys;
    assert(standby !== undefined);
    standby.atStart = (link) => link.tell({ type: 'ended', cause: EXIT });
    fixture.control.recvOutgoingCallRequest(REQUEST);
    assert.deepEqual(fixture.order, ['begun', 'ended', 'OutgoingCallReply']);
    assert.deepEqual(fixture.sent, [refused(PAC_ERROR)]);
  });
});

test('events of a cleared link are ignored, before the next call and during it', async (t) => {
  const fixture = reach(t, 'starting');
  const { link } = fixture;
  link.isGone();
  await fixture.control.clear();
  fixture.forget();
  const tellAll = (): void => {
    link.tell({ type: 'ready' });
    link.tell({ type: 'ppp', event: { type: 'userKnown', user: 'alice', protocol: null } });
    link.tell({ type: 'ended', cause: { kind: 'exit', code: 5, words: '', complaint: null } });
  };
  tellAll();
  fixture.control.recvOutgoingCallRequest(REQUEST);
  tellAll();
  assert.deepEqual(fixture.order, ['begun']);
});

test('other events of the link are passed on', (t) => {
  const fixture = reach(t, 'connected');
  const told: LinkEvent[] = [
    { type: 'ppp', event: { type: 'userKnown', user: 'alice', protocol: 'MS-CHAPv2' } },
    { type: 'blackHole', arrives: 92, missing: 1404 },
  ];
  for (const event of told) fixture.link.tell(event);
  assert.deepEqual(fixture.events, told);
});

describe('a request to clear the call', () => {
  for (const state of STATES) {
    const callId = WITHOUT_CALL.has(state) ? OURS : THEIRS;
    test(`${state}: of the client's call id or of ours: clearRequested is emitted`, (t) => {
      const fixture = reach(t, state);
      fixture.control.recvCallClearRequest(clearRequest(callId));
      fixture.control.recvCallClearRequest(clearRequest(OURS));
      assert.deepEqual(fixture.events, [{ type: 'clearRequested' }, { type: 'clearRequested' }]);
      assert.deepEqual([fixture.sent, fixture.lines.at('warn')], [[], []]);
    });

    test(`${state}: of another call: ignored`, (t) => {
      const fixture = reach(t, state);
      fixture.control.recvCallClearRequest(clearRequest(FOREIGN));
      assert.deepEqual([fixture.events, fixture.sent], [[], []]);
      assert.deepEqual(fixture.lines.at('warn'), [
        `ignoring a request to clear call ${FOREIGN}, which is not a call of this client`,
      ]);
    });
  }

  test('waiting: of a call id of the client without a call: ignored', (t) => {
    const fixture = reach(t, 'waiting');
    fixture.control.recvCallClearRequest(clearRequest(THEIRS));
    assert.deepEqual([fixture.events, fixture.lines.at('warn').length], [[], 1]);
  });
});

describe('clear', () => {
  for (const state of ['starting', 'connected'] as const) {
    test(`${state}: the client is told after the call is over, and may call again`, async (t) => {
      const fixture = reach(t, state);
      const { call } = fixture.control;
      const { link } = fixture;
      Object.assign(link.counted, { rxPackets: 1, rxBytes: 20, txPackets: 3, txBytes: 400 });
      const cleared = fixture.control.clear();
      await settled();
      assert.deepEqual([link.closes, fixture.sent], [[{ peerGone: true, terminateCause: 1 }], []]);
      link.isGone();
      assert.equal(await cleared, call);
      const callStatistics = 'rx 1 packets 20 bytes, tx 3 packets 400 bytes';
      assert.deepEqual(fixture.sent.splice(0), [{ ...CLEARED, callStatistics }]);
      assert.deepEqual([fixture.control.call, fixture.control.process], [null, null]);
      fixture.control.recvOutgoingCallRequest({ ...REQUEST, callId: 9 });
      assert.notEqual(fixture.link, link);
      fixture.link.tell({ type: 'ready' });
      assert.deepEqual(fixture.sent, [{ ...ACCEPTED, peerCallId: 9 }]);
      assert.equal(fixture.standbys.length, 2);
    });
  }

  for (const state of ['waiting', 'clearing', 'endedWithoutCall', 'endedWithCall'] as const) {
    test(`${state}: there is nothing to clear`, async (t) => {
      const fixture = reach(t, state);
      assert.equal(await fixture.control.clear(), null);
      assert.deepEqual(fixture.sent, []);
    });
  }

  test('timeouts.establish does not run while the link closes, and runs again when the client may call', async (t) => {
    const fixture = reach(t, 'starting');
    fixture.pass(ESTABLISH - 1);
    void fixture.control.clear();
    fixture.pass(2 * ESTABLISH);
    fixture.link.isGone();
    await settled();
    fixture.pass(ESTABLISH - 1);
    assert.deepEqual(fixture.endsTold, []);
    fixture.pass(1);
    assert.deepEqual(fixture.endsTold, [{ reason: 'noCall', seconds: ESTABLISH, after: 'clearedCall' }]);
  });

  test('if the session ends meanwhile, the client gets one Call-Disconnect-Notify', async (t) => {
    const fixture = reach(t, 'connected');
    const { link } = fixture;
    const cleared = fixture.control.clear();
    fixture.end('serverShutdown');
    link.isGone();
    assert.equal(await cleared, null);
    await Promise.all(fixture.ends);
    assert.deepEqual(fixture.sent, [notice(3)]);
    fixture.pass(2 * ESTABLISH);
    assert.deepEqual(fixture.endsTold, []);
  });
});

describe('the end of the session', () => {
  const REASONS = Object.keys(CLOSE_REASONS) as readonly CloseReason[];
  /** The messages to the client in each state, by reason. */
  const TOLD: Readonly<Record<State, (reason: CloseReason) => readonly ControlMessage[]>> = {
    waiting: () => [],
    // The request is answered only if PPP failed; otherwise the stop request says enough.
    starting: (reason) =>
      reason === 'pppdFailed' || reason === 'deviceFailed' || reason === 'relayFailed' ? [refused(PAC_ERROR)] : [],
    connected: (reason) => [notice(CLOSE_REASONS[reason].disconnect)],
    clearing: (reason) => [notice(CLOSE_REASONS[reason].disconnect)],
    endedWithoutCall: () => [],
    endedWithCall: () => [],
  };
  for (const state of STATES) {
    test(`${state}: the messages to the client and the closing of the link, by reason`, (t) => {
      for (const reason of REASONS) {
        const fixture = reach(t, state);
        fixture.end(reason);
        assert.deepEqual(fixture.sent, TOLD[state](reason), reason);
        if (WITHOUT_CALL.has(state)) continue;
        const how = { peerGone: CLOSE_REASONS[reason].clientGone, terminateCause: TERMINATE_CAUSES[reason] };
        assert.deepEqual(fixture.link.closes.at(-1), how, reason);
      }
    });

    test(`${state}: no timer runs, and no call begins any more`, (t) => {
      const fixture = reach(t, state);
      fixture.end('kicked');
      fixture.pass(10 * ESTABLISH);
      assert.deepEqual(fixture.endsTold, []);
      fixture.control.recvOutgoingCallRequest({ ...REQUEST, callId: 9 });
      assert.deepEqual(fixture.sent.at(-1), refused(NO_RESOURCE, 9));
    });
  }

  test('is complete when the link has closed', async (t) => {
    const fixture = reach(t, 'connected');
    const { link } = fixture;
    let isOver = false;
    const end = fixture.control.end('kicked').then(() => (isOver = true));
    await settled();
    assert.equal(isOver, false);
    link.isGone();
    await end;
    assert.equal(fixture.control.call?.link, link, 'the last call is still known');
  });

  test('closes an unused standby', async (t) => {
    const fixture = reach(t, 'waiting');
    await fixture.control.end('clientClosed');
    assert.equal(fixture.standbys[0]?.isClosed, true);
  });

  test('closes a standby that has become a link as a link', (t) => {
    const fixture = reach(t, 'connected');
    fixture.end('clientClosed');
    assert.deepEqual(
      [fixture.standbys[0]?.isClosed, fixture.link.closes],
      [false, [{ peerGone: true, terminateCause: 2 }]],
    );
  });
});

describe('timeouts.establish', () => {
  test('ends a session without a call', (t) => {
    const fixture = reach(t, 'waiting');
    fixture.pass(ESTABLISH - 0.001);
    assert.deepEqual(fixture.endsTold, []);
    fixture.pass(0.001);
    assert.deepEqual(fixture.endsTold, [{ reason: 'noCall', seconds: ESTABLISH, after: 'start' }]);
  });

  test('is not extended by refused requests', (t) => {
    const fixture = reach(t, 'waiting');
    for (const round of [1, 2]) {
      fixture.pass(ESTABLISH / 2 - 1);
      fixture.control.recvOutgoingCallRequest({ ...REQUEST, bearerType: 4 });
      assert.equal(fixture.sent.length, round);
    }
    fixture.pass(2);
    assert.deepEqual(fixture.endsTold, [{ reason: 'noCall', seconds: ESTABLISH, after: 'start' }]);
  });

  test('counts from the call request until the link is ready; then the call is refused', (t) => {
    const fixture = reach(t, 'waiting');
    fixture.endsAtEnd = true;
    fixture.pass(ESTABLISH - 1);
    fixture.control.recvOutgoingCallRequest(REQUEST);
    fixture.pass(ESTABLISH - 0.001);
    assert.deepEqual(fixture.endsTold, []);
    fixture.pass(0.001);
    assert.deepEqual(fixture.endsTold, [{ reason: 'pppdFailed', cause: { kind: 'noFirstFrame', seconds: ESTABLISH } }]);
    assert.deepEqual(fixture.sent, [refused(PAC_ERROR)]);
  });

  test('names the interface if the link is of the builtin engine', (t) => {
    const fixture = reach(t, 'starting');
    fixture.link.kind = 'tun';
    fixture.endsAtEnd = true;
    fixture.pass(ESTABLISH);
    assert.deepEqual(fixture.endsTold, [
      { reason: 'deviceFailed', cause: { kind: 'device', problem: `it was not open within ${ESTABLISH} s` } },
    ]);
    assert.deepEqual(fixture.sent, [refused(PAC_ERROR)]);
  });

  test('does not run during a call', (t) => {
    const fixture = reach(t, 'connected');
    fixture.pass(10 * ESTABLISH);
    assert.deepEqual(fixture.endsTold, []);
  });
});

describe('Set-Link-Info', () => {
  for (const state of STATES) {
    const hasCall = !WITHOUT_CALL.has(state);
    test(`${state}: ${hasCall ? 'reaches the link' : 'ignored'}; of another call: ignored`, (t) => {
      const fixture = reach(t, state);
      fixture.control.recvSetLinkInfo(setLinkInfo(FOREIGN));
      fixture.control.recvSetLinkInfo(setLinkInfo(THEIRS));
      if (hasCall) assert.equal(fixture.link.sendAccm, null);
      fixture.control.recvSetLinkInfo(setLinkInfo(OURS));
      if (hasCall) assert.equal(fixture.link.sendAccm, 0x000a0000);
      assert.deepEqual([fixture.sent, fixture.events], [[], []]);
    });
  }
});

describe('a tap', () => {
  const tap = (): void => undefined;

  test('gets the frames of the current call until it is removed', (t) => {
    const fixture = reach(t, 'connected');
    fixture.control.setTap(tap);
    assert.equal(fixture.link.tap, tap);
    fixture.control.setTap(null);
    assert.equal(fixture.link.tap, null);
  });

  test('gets the frames of later calls from their start', async (t) => {
    const fixture = reach(t, 'waiting');
    fixture.control.setTap(tap);
    const [first] = fixture.standbys;
    assert(first !== undefined);
    let atStart: unknown;
    first.atStart = (link) => (atStart = link.tap);
    fixture.control.recvOutgoingCallRequest(REQUEST);
    assert.equal(atStart, tap);
    fixture.link.isGone();
    await fixture.control.clear();
    fixture.control.recvOutgoingCallRequest(REQUEST);
    assert.equal(fixture.link.tap, tap);
  });
});

test('process is the standby’s before the first call, then the call’s', async (t) => {
  const fixture = reach(t, 'waiting');
  const [first] = fixture.standbys;
  assert.equal(fixture.control.process, first?.process);
  fixture.control.recvOutgoingCallRequest(REQUEST);
  assert.equal(fixture.control.process, first?.process);
  fixture.link.isGone();
  await fixture.control.clear();
  assert.equal(fixture.control.process, null);
  fixture.control.recvOutgoingCallRequest(REQUEST);
  assert.equal(fixture.control.process, fixture.standbys[1]?.process);
});

test('the statistics of a link without counters are zeros', (t) => {
  const fixture = reach(t, 'connected');
  fixture.link.counters = () => null;
  fixture.end('kicked');
  assert.deepEqual(fixture.sent, [notice(3)]);
});
