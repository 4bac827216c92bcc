/** The engine packet by packet: counters and timers, repeated and early packets, retries, floods, and what ends a link. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EngineSettings } from '../../../../src/ppp/engine/engine.js';
import { parseFrame } from '../../../../src/ppp/packet.js';
import * as ppp from '../frames.js';
import { ACCEPT, REFUSE, refuseOnce, Server } from './peer.js';

const CODES = ['', 'request', 'ack', 'nak', 'reject', 'terminate', 'terminateAck', 'codeReject', 'protocolReject'];

/** A frame in words: `LCP ack 1`, `CHAP 3 7`. */
function words(frame: Uint8Array): string {
  const packet = parseFrame(frame);
  assert.ok(typeof packet === 'object');
  const { protocol, code, identifier } = packet;
  const name = protocol === 'CHAP' || protocol === 'PAP' ? String(code) : (CODES[code] ?? String(code));
  return `${protocol} ${name || code} ${identifier}`;
}

const said = (frames: readonly Uint8Array[]): string[] => frames.map(words);

/** What follows the packet's header. */
function body(frame: Uint8Array | undefined): Uint8Array {
  const packet = frame === undefined ? 'malformed' : parseFrame(frame);
  assert.ok(typeof packet === 'object');
  return packet.body().bytes(2000);
}

const text = (frame: Uint8Array | undefined): string => Buffer.from(body(frame)).toString();

/** Acknowledges the engine's last Configure-Request of a protocol. */
function ack(server: Server, protocol: number): Uint8Array[] {
  const frame = server.frames.findLast(
    (sent) => sent[4] === 1 && sent[2] === protocol >> 8 && sent[3] === (protocol & 255),
  );
  const packet = frame === undefined ? 'malformed' : parseFrame(frame);
  assert.ok(typeof packet === 'object');
  return server.recv(ppp.frame(protocol, ppp.ACK, packet.identifier, packet.body().bytes(2000)));
}

const CLIENT_LCP = [ppp.lcp.magic('21d6ac10'), ppp.lcp.pfc, ppp.lcp.acfc];

function openLcp(server: Server, identifier = 1): Uint8Array[] {
  ack(server, ppp.LCP);
  return server.recv(ppp.frame(ppp.LCP, ppp.REQUEST, identifier, ...CLIENT_LCP));
}

/** The identifier of the engine's last challenge. */
function challenged(server: Server): number {
  return server.frames.findLast((frame) => frame[2] === 0xc2 && frame[3] === 0x23 && frame[4] === 1)?.[5] ?? -1;
}

function respond(server: Server, identifier = challenged(server), filling = 0): Uint8Array[] {
  const response = ppp.counted(new Uint8Array(49).fill(filling));
  return server.recv(ppp.frame(ppp.CHAP, 2, identifier, response, 'alice'));
}

function loggedIn(settings: Partial<EngineSettings> = {}): Server {
  const server = new Server({ lcpEcho: { interval: 0, failures: 0 }, ...settings }).start();
  openLcp(server);
  respond(server);
  return server;
}

const MPPE = ppp.mppe('01000040');

/** Up to the open CCP, with IPCP not yet begun by the client. */
function encrypted(settings: Partial<EngineSettings> = {}): Server {
  const server = loggedIn(settings);
  server.recv(ppp.frame(ppp.CCP, ppp.REQUEST, 1, MPPE));
  ack(server, ppp.CCP);
  return server;
}

function up(settings: Partial<EngineSettings> = {}): Server {
  const server = encrypted(settings);
  server.recv(ppp.frame(ppp.IPCP, ppp.REQUEST, 1, ppp.ipcp.address('198.51.100.11')));
  ack(server, ppp.IPCP);
  assert.equal(server.types.at(-1), 'network');
  return server;
}

function untilEnd(server: Server): string[] {
  const frames: string[] = [];
  while (server.engine.deadline !== null) frames.push(...said(server.tick()));
  return frames;
}

describe('LCP', () => {
  test('ten requests, three seconds apart, and then the end', () => {
    const server = new Server().start();
    const times: number[] = [];
    while (server.end === undefined) {
      times.push(server.now);
      server.tick();
    }
    assert.deepEqual(times, [0, 3000, 6000, 9000, 12_000, 15_000, 18_000, 21_000, 24_000, 27_000]);
    assert.equal(new Set(said(server.frames)).size, 1);
    assert.deepEqual(server.end, { kind: 'lcpTimeout', received: 0 });
    assert.deepEqual(openLcp(server), []);
    assert.equal(server.engine.deadline, null);
  });

  test('callback, multilink, quality, a login of ours and unknown options are rejected, with their own octets', () => {
    const server = new Server().start();
    const refused = ppp.bytes(
      ppp.lcp.callback,
      ppp.option(17, [0x06, 0x4e]),
      ppp.option(4, ppp.hex('c02500000000')),
      ppp.lcp.msChapV2,
      ppp.option(200, [1, 2, 3]),
    );
    const [answer] = server.recv(ppp.frame(ppp.LCP, ppp.REQUEST, 9, ppp.lcp.pfc, refused, ppp.lcp.acfc));
    assert.deepEqual(said([answer ?? new Uint8Array()]), ['LCP reject 9']);
    assert.deepEqual(Buffer.from(body(answer)), Buffer.from(refused));
  });

  test('an MRU that is too small is Nakd, and after five Naks rejected', () => {
    const server = new Server().start();
    const request = (identifier: number) => server.recv(ppp.frame(ppp.LCP, ppp.REQUEST, identifier, ppp.lcp.mru(64)));
    for (let turn = 1; turn <= 5; turn++) {
      const answer = request(turn);
      assert.deepEqual(said(answer), [`LCP nak ${turn}`]);
      assert.deepEqual(Buffer.from(body(answer[0])), Buffer.from(ppp.lcp.mru(128)));
    }
    assert.deepEqual(said(request(6)), ['LCP reject 6']);
  });

  test('our own magic number is Nakd, and ten Naks of ours are a loop', () => {
    const server = new Server().start();
    let turns = 0;
    for (let next = server.frames; server.end === undefined && turns < 100; turns++) {
      const [echo] = next;
      next = echo === undefined ? server.tick() : server.recv(echo);
    }
    assert.deepEqual(server.end, { kind: 'loopback' });
  });

  test('a peer that Naks for ever gets thirty requests and no more', () => {
    const server = new Server().start();
    let sent = server.frames.slice();
    for (let turn = 0; turn < 1000 && sent.length > 0; turn++) {
      const identifier = sent[0]?.[5] ?? 0;
      sent = server.recv(ppp.frame(ppp.LCP, ppp.NAK, identifier, ppp.lcp.mru(1000 + turn)));
      assert.ok(sent.length <= 1);
    }
    assert.equal(said(server.frames).length, 30);
    assert.deepEqual(server.end, { kind: 'noAgreement', protocol: 'LCP' });
  });

  test('a peer that acknowledges for ever and asks for nothing gets thirty requests and no more', () => {
    const server = new Server().start();
    while (server.end === undefined) {
      ack(server, ppp.LCP);
      server.tick();
    }
    assert.equal(said(server.frames).length, 30);
    assert.deepEqual(server.end, { kind: 'noAgreement', protocol: 'LCP' });
  });

  test('an Ack with other options than ours, of another request, or a second one is no answer', () => {
    const server = new Server().start();
    const [request] = server.frames;
    server.recv(ppp.frame(ppp.LCP, ppp.ACK, request?.[5] ?? 0, ppp.lcp.pfc));
    server.recv(ppp.frame(ppp.LCP, ppp.ACK, 77, body(request)));
    server.recv(ppp.frame(ppp.LCP, ppp.REQUEST, 1, ...CLIENT_LCP));
    assert.deepEqual(server.types, []);
    ack(server, ppp.LCP);
    assert.deepEqual(server.types, ['linkUp']);
    assert.deepEqual(ack(server, ppp.LCP), []);
    assert.deepEqual(server.types, ['linkUp']);
  });

  test('Echo-Requests are answered with our magic number, other codes are taken silently or rejected', () => {
    const server = loggedIn();
    const magic = body(server.frames[0]).subarray(-8, -4);
    const echo = server.recv(ppp.frame(ppp.LCP, 9, 5, ppp.hex('21d6ac10'), 'payload'));
    assert.deepEqual(Buffer.from(body(echo[0])), Buffer.from(ppp.bytes(magic, 'payload')));
    for (const code of [11, 12, 13]) {
      assert.deepEqual(server.recv(ppp.frame(ppp.LCP, code, 5, ppp.hex('21d6ac10'), new Uint8Array(16))), []);
    }
    const rejected = server.recv(ppp.frame(ppp.LCP, 99, 6, 'what'));
    assert.equal(rejected[0]?.[4], 7);
    assert.deepEqual(Buffer.from(body(rejected[0])), Buffer.from(ppp.bytes([99, 6, 0, 8], 'what')));
  });

  test('four echoes without a reply end the link, replies of ours that come back do not count', () => {
    const server = up({ lcpEcho: { interval: 30, failures: 4 } });
    const echo = server.frames.find((frame) => frame[2] === 0xc0 && frame[4] === 9);
    for (let turn = 1; turn <= 7; turn++) {
      server.recv(ppp.frame(ppp.LCP, 10, 1, turn <= 3 ? ppp.hex('21d6ac10') : body(echo)));
      assert.equal(server.types.at(-1), 'network');
      server.tick();
    }
    assert.equal(server.types.at(-1), 'linkDown');
    untilEnd(server);
    assert.deepEqual(server.end, { kind: 'echoTimeout', failures: 4 });
    assert.equal(server.now, 210_000 + 6000);
  });

  test('a client that does not know Echo-Requests is not asked again', () => {
    const server = new Server({ lcpEcho: { interval: 1, failures: 1 } }).start();
    const echo = openLcp(server).find((frame) => frame[4] === 9);
    server.recv(ppp.frame(ppp.LCP, 7, 1, echo?.subarray(4) ?? []));
    assert.equal(server.engine.deadline, 3000);
    respond(server);
    untilEnd(server);
    assert.deepEqual(server.end, { kind: 'ncpTimeout', protocol: 'CCP' });
  });

  test('a Terminate-Request of the client is acknowledged, as often as it comes, and three seconds later all is over', () => {
    const server = up();
    for (let turn = 1; turn <= 50; turn++) {
      const answer = server.recv(ppp.frame(ppp.LCP, ppp.TERMINATE, turn, 'User request'));
      assert.deepEqual(said(answer), [`LCP terminateAck ${turn}`]);
    }
    assert.deepEqual(server.types.slice(-3), ['networkDown', 'encryptionDown', 'linkDown']);
    assert.deepEqual(untilEnd(server), []);
    assert.deepEqual(server.end, { kind: 'peerTerminated', text: 'User request', windowsError: null });
    assert.equal(server.now, 3000);
    assert.deepEqual(server.recv(ppp.frame(ppp.LCP, ppp.TERMINATE, 51)), []);
  });

  test('a client that asks anew after its Terminate-Request has ended the link all the same', () => {
    const server = up();
    server.recv(ppp.frame(ppp.LCP, ppp.TERMINATE, 2, 'bye'));
    assert.deepEqual(server.recv(ppp.frame(ppp.LCP, ppp.REQUEST, 3, ...CLIENT_LCP)), []);
    server.engine.terminate('the control connection is closed', server.now);
    untilEnd(server);
    assert.deepEqual(server.end, { kind: 'peerTerminated', text: 'bye', windowsError: null });
  });

  test('a client that ends a negotiation may begin another one', () => {
    const server = new Server().start();
    server.recv(ppp.frame(ppp.LCP, ppp.TERMINATE, 1, 'wait'));
    openLcp(server);
    assert.deepEqual(server.types, ['linkUp']);
    const other = new Server().start();
    other.recv(ppp.frame(ppp.LCP, ppp.TERMINATE, 1, 'no'));
    untilEnd(other);
    assert.deepEqual(other.end, { kind: 'peerTerminated', text: 'no', windowsError: null });
  });

  test('Windows says the number of its error', () => {
    const server = up();
    server.recv(ppp.frame(ppp.LCP, ppp.TERMINATE, 1, ppp.hex('8101d0f0003ccd74000002e6')));
    untilEnd(server);
    assert.deepEqual(server.end, { kind: 'peerTerminated', text: '', windowsError: 742 });
  });

  test('our own end is two Terminate-Requests with the reason, or one that is acknowledged', () => {
    const server = up();
    server.engine.terminate('Server shutdown', server.now);
    assert.equal(text(server.frames.at(-1)), 'Server shutdown');
    assert.deepEqual(untilEnd(server).length, 1);
    assert.deepEqual(server.end, { kind: 'administrative', reason: 'Server shutdown' });
    assert.equal(server.now, 6000);

    const other = up();
    other.engine.terminate('Server shutdown', other.now);
    other.recv(ppp.frame(ppp.LCP, ppp.TERMINATE_ACK, other.frames.at(-1)?.[5] ?? 0));
    assert.equal(other.types.at(-1), 'ended');
    other.engine.terminate('again', other.now);
    assert.equal(other.said('ended').length, 1);
  });

  test('ended before it began', () => {
    const server = new Server();
    server.engine.terminate('no device', 0);
    assert.deepEqual(server.end, { kind: 'administrative', reason: 'no device' });
    server.start();
    assert.deepEqual(server.frames, []);
  });

  test('LCP that begins anew takes all down, and the client has to log in again', () => {
    const server = up();
    const answers = server.recv(ppp.frame(ppp.LCP, ppp.REQUEST, 2, ppp.lcp.magic('01020304')));
    assert.deepEqual(said(answers), ['LCP request 2', 'LCP ack 2']);
    assert.deepEqual(server.types.slice(-3), ['networkDown', 'encryptionDown', 'linkDown']);
    ack(server, ppp.LCP);
    respond(server);
    assert.deepEqual(server.types.slice(-2), ['linkUp', 'authenticate']);
    assert.equal(server.end, undefined);
  });

  test('a request that was acknowledged comes again: the Ack comes again too, and the link stays', () => {
    const server = up();
    const again = server.recv(ppp.frame(ppp.LCP, ppp.REQUEST, 1, ...CLIENT_LCP));
    assert.deepEqual(said(again), ['LCP ack 1']);
    const ccp = server.recv(ppp.frame(ppp.CCP, ppp.REQUEST, 2, MPPE));
    assert.deepEqual(said(ccp), ['CCP ack 2']);
    assert.equal(server.types.at(-1), 'network');
    // For ever it is no repetition.
    for (let turn = 0; turn < 5; turn++) server.recv(ppp.frame(ppp.LCP, ppp.REQUEST, 1, ...CLIENT_LCP));
    assert.equal(server.types.at(-1), 'linkDown');
  });

  test('a Configure-Reject of what we did not ask for changes nothing', () => {
    const server = new Server().start();
    assert.deepEqual(server.recv(ppp.frame(ppp.LCP, ppp.REJECT, 1, ppp.lcp.callback)), []);
    const [request] = server.recv(ppp.frame(ppp.LCP, ppp.REJECT, 1, ppp.lcp.pfc, ppp.lcp.acfc));
    assert.ok(!Buffer.from(body(request)).includes(Buffer.from(ppp.lcp.pfc)));
  });
});

describe('before the login', () => {
  test('network protocols, CCP, data and unknown protocols get no answer', () => {
    const server = new Server({ lcpEcho: { interval: 0, failures: 0 } }).start();
    const early = [ppp.IPCP, ppp.CCP, ppp.IPV6CP, 0x8281, ppp.EAP, 0x0021].map((protocol) => ppp.frame(protocol, 1, 1));
    for (const frame of early) assert.deepEqual(server.recv(frame), []);
    openLcp(server);
    for (const frame of early) assert.deepEqual(server.recv(frame), []);
    assert.deepEqual(server.types, ['linkUp']);
  });
});

describe('MS-CHAPv2', () => {
  const withoutEcho = { lcpEcho: { interval: 0, failures: 0 } } as const;

  test('ten challenges, and then the end', () => {
    const server = new Server(withoutEcho).start();
    openLcp(server);
    const frames = untilEnd(server).filter((frame) => frame.startsWith('CHAP 1'));
    assert.equal(frames.length, 9);
    assert.equal(new Set(frames).size, 1);
    assert.deepEqual(server.end, { kind: 'authenticationTimeout', method: 'ms-chap-v2', challenges: 10 });
  });

  test('the request has all that the judge needs', () => {
    const server = new Server(withoutEcho).start();
    openLcp(server);
    const challenge = body(server.frames.at(-1)).subarray(1, 17);
    respond(server, undefined, 7);
    const [asked] = server.said('authenticate');
    assert.deepEqual(asked?.request, {
      id: 2,
      method: 'ms-chap-v2',
      name: new Uint8Array(Buffer.from('alice')),
      challenge: Uint8Array.from(challenge),
      response: new Uint8Array(49).fill(7),
      identifier: challenged(server),
    });
  });

  test('while the judge thinks, repetitions are neither asked nor answered; a repeated response gets its result', () => {
    const server = new Server(withoutEcho).start();
    server.judge = null;
    openLcp(server);
    for (let turn = 0; turn < 5; turn++) assert.deepEqual(respond(server), []);
    assert.equal(server.said('authenticate').length, 1);
    server.engine.recvVerdict({ ...REFUSE, id: 99 }, 0);
    server.engine.recvVerdict({ ...ACCEPT, id: 2 }, 0);
    server.engine.recvVerdict({ ...REFUSE, id: 2 }, 0);
    const success = server.frames.findLast((frame) => frame[4] === 3 && frame[2] === 0xc2);
    assert.deepEqual(respond(server), [success]);
    assert.equal(server.said('authenticate').length, 1);
    assert.equal(server.end, undefined);
  });

  test('no verdict is an end of its own', () => {
    const server = new Server(withoutEcho).start();
    server.judge = null;
    openLcp(server);
    respond(server);
    untilEnd(server);
    assert.deepEqual(server.end, { kind: 'verdictTimeout' });
  });

  test('no challenge is sent but the one that was asked for, and none is an end', () => {
    const server = new Server(withoutEcho).start();
    server.draw = null;
    openLcp(server);
    assert.deepEqual(server.said('challengeNeeded'), [{ type: 'challengeNeeded', id: 1, method: 'ms-chap-v2' }]);
    const octets = new Uint8Array(16).fill(7);
    server.engine.recvChallenge({ id: 2, octets }, server.now);
    assert.equal(challenged(server), -1);
    server.engine.recvChallenge({ id: 1, octets }, server.now);
    assert.deepEqual(body(server.frames.at(-1)).subarray(1, 17), octets);
    const sent = server.frames.length;
    server.engine.recvChallenge({ id: 1, octets: new Uint8Array(16) }, server.now);
    assert.equal(server.frames.length, sent);

    const forgotten = new Server(withoutEcho).start();
    forgotten.draw = null;
    openLcp(forgotten);
    untilEnd(forgotten);
    assert.deepEqual(forgotten.end, { kind: 'verdictTimeout' });
  });

  test('a client that may retry gets a new challenge in the failure, three times in all', () => {
    for (const step of [0, 1]) {
      const server = new Server(withoutEcho).start();
      server.judge = refuseOnce;
      openLcp(server);
      let identifier = challenged(server);
      const failures: string[] = [];
      for (let attempt = 1; attempt <= 3; attempt++) {
        const [failure] = respond(server, identifier, attempt);
        failures.push(text(failure).replace(/C=[0-9A-F]{32}/, 'C='));
        // A repetition is no attempt.
        if (attempt < 3) assert.deepEqual(respond(server, identifier, attempt), [failure]);
        const challenge = /C=([0-9A-F]{32})/.exec(text(failure))?.[1];
        const next = server.said('authenticate').at(-1)?.request;
        assert.equal(next?.id, attempt + 1);
        if (attempt === 1)
          assert.notEqual(
            Buffer.from(next?.challenge ?? [])
              .toString('hex')
              .toUpperCase(),
            challenge,
          );
        identifier = (identifier + step) & 255;
      }
      assert.deepEqual(failures, [
        'E=691 R=1 C= V=3 M=Access denied',
        'E=691 R=1 C= V=3 M=Access denied',
        'E=691 R=0 C= V=3 M=Access denied',
      ]);
      untilEnd(server);
      assert.equal(server.end?.kind, 'authentication');
    }
  });

  test('the second attempt is judged by the new challenge', () => {
    const server = new Server(withoutEcho).start();
    server.judge = refuseOnce;
    openLcp(server);
    const [failure] = respond(server);
    server.judge = () => ACCEPT;
    respond(server, undefined, 1);
    const challenge = Buffer.from(server.said('authenticate')[1]?.request.challenge ?? []).toString('hex');
    assert.ok(text(failure).includes(`C=${challenge.toUpperCase()} `));
    assert.ok(said(server.frames).includes('CCP request 1'));
  });

  test('a client that gives up instead of trying again has failed to log in', () => {
    const server = new Server(withoutEcho).start();
    server.judge = refuseOnce;
    openLcp(server);
    respond(server);
    server.recv(ppp.frame(ppp.LCP, ppp.TERMINATE, 2, 'Failed to authenticate ourselves to peer'));
    server.engine.terminate('the control connection is closed', server.now);
    untilEnd(server);
    assert.deepEqual(server.end, { kind: 'authentication', method: 'ms-chap-v2', code: 691, message: 'Access denied' });
  });

  test('a change of the password is refused', () => {
    const server = new Server(withoutEcho).start();
    server.judge = () => ({ ...refuseOnce(), code: 648 });
    openLcp(server);
    respond(server);
    const [failure] = server.recv(ppp.frame(ppp.CHAP, 7, 9, new Uint8Array(582)));
    assert.match(text(failure), /^E=709 R=0 C=[0-9A-F]{32} V=3 M=/);
    untilEnd(server);
    assert.equal(server.end?.kind === 'authentication' && server.end.code, 709);
  });

  test('a response of a wrong length is a failed login', () => {
    const server = new Server(withoutEcho).start();
    openLcp(server);
    server.recv(ppp.frame(ppp.CHAP, 2, challenged(server), ppp.counted(new Uint8Array(24)), 'alice'));
    assert.deepEqual(server.said('authenticate'), []);
    untilEnd(server);
    assert.equal(server.end?.kind, 'authentication');
  });

  test('Windows 98 gets a success without text', () => {
    const server = new Server(withoutEcho).start();
    openLcp(server);
    const [success] = respond(server, undefined, 4);
    assert.match(text(success), /^S=[0-9A-F]{40}$/);
  });

  test('a success that may be lost goes out again, three times or until the client goes on', () => {
    const successes = (server: Server): number =>
      said(server.frames).filter((frame) => frame.startsWith('CHAP 3')).length;
    const silent = loggedIn();
    untilEnd(silent);
    assert.equal(successes(silent), 4);
    const server = loggedIn();
    server.recv(ppp.frame(ppp.CCP, ppp.REQUEST, 1, MPPE));
    while (server.now < 20_000) server.tick();
    assert.equal(successes(server), 1);
  });

  test('a client that rejects CHAP itself', () => {
    const server = new Server(withoutEcho).start();
    openLcp(server);
    server.recv(ppp.frame(ppp.LCP, 8, 1, ppp.hex('c223')));
    untilEnd(server);
    assert.deepEqual(server.end, { kind: 'protocolRejected', protocol: 'CHAP' });
  });
});

describe('PAP', () => {
  const settings = { authentication: ['pap'], encryption: 'none', lcpEcho: { interval: 0, failures: 0 } } as const;
  const login = (identifier: number) => ppp.frame(ppp.PAP, 1, identifier, ppp.counted('alice'), ppp.counted('secret'));

  test('name and password go to the judge, and each repetition gets its own answer', () => {
    const server = new Server(settings).start();
    server.judge = null;
    openLcp(server);
    assert.deepEqual(server.recv(login(1)), []);
    assert.deepEqual(server.recv(login(2)), []);
    const { name, response, challenge } = server.said('authenticate')[0]?.request ?? {};
    assert.equal(Buffer.from(name ?? []).toString(), 'alice');
    assert.equal(Buffer.from(response ?? []).toString(), 'secret');
    assert.equal(challenge?.length, 0);
    server.engine.recvVerdict({ ...ACCEPT, message: '', id: 1 }, 0);
    assert.ok(said(server.frames).includes('PAP 2 2'));
    assert.deepEqual(said(server.recv(login(3))), ['PAP 2 3']);
    assert.equal(server.said('authenticate').length, 1);
  });

  test('a wrong password, and none at all', () => {
    const server = new Server(settings).start();
    server.judge = () => REFUSE;
    openLcp(server);
    const [nak] = server.recv(login(1));
    assert.deepEqual(Buffer.from(body(nak)), Buffer.from(ppp.counted('Access denied')));
    untilEnd(server);
    assert.equal(server.end?.kind, 'authentication');

    const silent = new Server(settings).start();
    openLcp(silent);
    untilEnd(silent);
    assert.deepEqual(silent.end, { kind: 'authenticationTimeout', method: 'pap', challenges: 0 });
    assert.equal(silent.now, 30_000 + 6000);
  });
});

describe('required encryption', () => {
  test('IPCP that comes before CCP is open waits, and is answered as soon as it is', () => {
    const server = loggedIn();
    for (let identifier = 1; identifier <= 20; identifier++) {
      assert.deepEqual(server.recv(ppp.frame(ppp.IPCP, ppp.REQUEST, identifier, ppp.ipcp.address('0.0.0.0'))), []);
    }
    assert.deepEqual(server.recv(ppp.frame(ppp.IPCP, ppp.TERMINATE, 21)), []);
    server.recv(ppp.frame(ppp.CCP, ppp.REQUEST, 1, MPPE));
    assert.deepEqual(said(ack(server, ppp.CCP)), ['IPCP request 1', 'IPCP nak 20']);
  });

  test('the client rejects MPPE, proposes what is not allowed, or ends CCP', () => {
    for (const [packet, how, asked] of [
      [ppp.frame(ppp.CCP, ppp.REJECT, 1, MPPE), 'reject', null],
      [ppp.frame(ppp.CCP, ppp.NAK, 1, ppp.mppe('01000020')), 'nak', { keys: [40], stateless: true, mppc: false }],
      [ppp.frame(ppp.CCP, ppp.TERMINATE, 1), 'terminate', null],
      [ppp.frame(ppp.CCP, ppp.REQUEST, 1, ppp.option(26, [0x78, 0x00])), 'request', null],
    ] as const) {
      const server = loggedIn();
      server.recv(packet);
      untilEnd(server);
      assert.deepEqual(server.end, { kind: 'encryptionRefused', how, asked });
    }
  });

  test('compression beside MPPE is rejected, and MPPE then agreed', () => {
    const server = loggedIn();
    const deflate = ppp.option(26, [0x78, 0x00]);
    const [reject] = server.recv(ppp.frame(ppp.CCP, ppp.REQUEST, 1, MPPE, deflate));
    assert.deepEqual(Buffer.from(body(reject)), Buffer.from(deflate));
    assert.deepEqual(said(server.recv(ppp.frame(ppp.CCP, ppp.REQUEST, 2, MPPE))), ['CCP ack 2']);
  });

  test('reserved bits and MPPC are Nakd away, nothing at all by our own wish', () => {
    for (const bits of ['010000c1', '01000041', '01000050', '81000040', '00000000', '00000001']) {
      const server = loggedIn({ encryptionKeys: [128] });
      const [nak] = server.recv(ppp.frame(ppp.CCP, ppp.REQUEST, 1, ppp.mppe(bits)));
      assert.deepEqual(said([nak ?? new Uint8Array()]), ['CCP nak 1'], bits);
      assert.deepEqual(Buffer.from(body(nak)), Buffer.from(MPPE), bits);
    }
  });

  test('CCP that closes or begins anew on an encrypted link ends it: keys serve once', () => {
    for (const packet of [
      ppp.frame(ppp.CCP, ppp.TERMINATE, 2),
      ppp.frame(ppp.CCP, ppp.REQUEST, 2, ppp.mppe('00000040')),
      ppp.frame(ppp.LCP, 8, 2, ppp.hex('80fd')),
    ]) {
      const server = up();
      server.recv(packet);
      assert.deepEqual(server.types.slice(-3), ['encryptionDown', 'networkDown', 'linkDown']);
      untilEnd(server);
      assert.deepEqual(server.end, { kind: 'encryptionLost' });
    }
  });

  test('a Reset-Request is told and acknowledged, one answer each', () => {
    const server = up();
    for (let identifier = 1; identifier <= 200; identifier++) {
      assert.equal(server.recv(ppp.frame(ppp.CCP, 14, identifier)).length, 1);
    }
    assert.equal(server.said('resetRequested').length, 200);
    assert.deepEqual(server.recv(ppp.frame(ppp.CCP, 15, 1)), []);
  });

  test('our own Reset-Requests are few, however many packets are lost', () => {
    const server = up();
    const before = server.frames.length;
    for (let packet = 0; packet < 10_000; packet++) server.engine.requestReset(server.now + Math.floor(packet / 10));
    const sent = server.frames.length - before;
    assert.ok(sent >= 1 && sent <= 20, `${sent}`);
    const fresh = loggedIn();
    fresh.engine.requestReset(0);
    assert.ok(!fresh.frames.some((frame) => frame[4] === 14));
  });
});

describe('IPCP', () => {
  test('VJ compression and the old IP-Addresses are rejected', () => {
    const server = encrypted();
    const refused = ppp.bytes(ppp.option(1, ppp.hex('c0000201c0000202')), ppp.ipcp.vj);
    const [answer] = server.recv(ppp.frame(ppp.IPCP, ppp.REQUEST, 1, refused, ppp.ipcp.address('0.0.0.0')));
    assert.deepEqual(Buffer.from(body(answer)), Buffer.from(refused));
  });

  test('a client that asks for no address is offered one, once, and then refused', () => {
    const server = encrypted();
    const [nak] = server.recv(ppp.frame(ppp.IPCP, ppp.REQUEST, 1));
    assert.deepEqual(Buffer.from(body(nak)), Buffer.from(ppp.ipcp.address('198.51.100.11')));
    assert.deepEqual(said(server.recv(ppp.frame(ppp.IPCP, ppp.REQUEST, 2))), ['IPCP ack 2']);
    ack(server, ppp.IPCP);
    untilEnd(server);
    assert.deepEqual(server.end, { kind: 'addressRefused', whose: 'client', proposed: null });
  });

  test('a client that insists on its own address', () => {
    const server = encrypted();
    for (let turn = 1; turn <= 5; turn++)
      server.recv(ppp.frame(ppp.IPCP, ppp.REQUEST, turn, ppp.ipcp.address('203.0.113.1')));
    ack(server, ppp.IPCP);
    const address = ppp.ipcp.address('203.0.113.1');
    assert.deepEqual(said(server.recv(ppp.frame(ppp.IPCP, ppp.REQUEST, 6, address))), ['IPCP reject 6']);
    server.recv(ppp.frame(ppp.IPCP, ppp.REQUEST, 7));
    untilEnd(server);
    assert.deepEqual(server.end, { kind: 'addressRefused', whose: 'client', proposed: '203.0.113.1' });
  });

  test('a client that refuses our address', () => {
    for (const code of [ppp.NAK, ppp.REJECT]) {
      const server = encrypted();
      const address = code === ppp.NAK ? '203.0.113.9' : '198.51.100.1';
      for (let turn = 1; turn <= 5; turn++) {
        const identifier = server.frames.findLast((frame) => frame[2] === 0x80 && frame[3] === 0x21)?.[5] ?? 0;
        server.recv(ppp.frame(ppp.IPCP, code, identifier, ppp.ipcp.address(address)));
      }
      ack(server, ppp.IPCP);
      server.recv(ppp.frame(ppp.IPCP, ppp.REQUEST, 1, ppp.ipcp.address('198.51.100.11')));
      untilEnd(server);
      const proposed = code === ppp.NAK ? '203.0.113.9' : null;
      assert.deepEqual(server.end, { kind: 'addressRefused', whose: 'server', proposed });
    }
  });

  test('silence, rejection and closing of the only network protocol end the link', () => {
    const silent = encrypted();
    untilEnd(silent);
    assert.deepEqual(silent.end, { kind: 'ncpTimeout', protocol: 'IPCP' });
    const rejected = encrypted();
    rejected.recv(ppp.frame(ppp.LCP, 8, 1, ppp.hex('8021')));
    untilEnd(rejected);
    assert.deepEqual(rejected.end, { kind: 'protocolRejected', protocol: 'IPCP' });
    const closed = up();
    closed.recv(ppp.frame(ppp.IPCP, ppp.TERMINATE, 2));
    assert.equal(closed.types.at(-1), 'networkDown');
    untilEnd(closed);
    assert.deepEqual(closed.end, { kind: 'networkClosed' });
  });

  test('with IPV6CP beside it the link goes on', () => {
    const server = encrypted({ ipv6: true });
    server.recv(ppp.frame(ppp.LCP, 8, 1, ppp.hex('8021')));
    server.recv(ppp.frame(ppp.IPV6CP, ppp.REQUEST, 1, ppp.option(1, ppp.hex('0000000000000001'))));
    ack(server, ppp.IPV6CP);
    assert.equal(server.types.at(-1), 'network6');
    assert.equal(server.end, undefined);
  });

  test('IPCP that begins anew is told down and up', () => {
    const server = up();
    server.recv(ppp.frame(ppp.IPCP, ppp.REQUEST, 2, ppp.ipcp.address('198.51.100.11'), ppp.ipcp.dns1('192.0.2.53')));
    ack(server, ppp.IPCP);
    assert.deepEqual(server.types.slice(-2), ['networkDown', 'network']);
    assert.deepEqual(server.said('network')[1]?.dns, ['192.0.2.53']);
  });
});

test('unknown protocols are rejected with what they carried, cut to the MRU, and not in a flood', () => {
  const server = up();
  const [reject] = server.recv(ppp.frame(0x8281, 1, 2, 'hello'));
  assert.deepEqual(Buffer.from(body(reject)), Buffer.from(ppp.bytes([0x82, 0x81], [1, 2, 0, 9], 'hello')));
  const before = server.frames.length;
  for (let packet = 0; packet < 1000; packet++) server.engine.recvUnknownData(0x0029, new Uint8Array(4000), server.now);
  const rejects = server.frames.slice(before);
  assert.ok(rejects.length > 0 && rejects.length <= 10);
  for (const frame of rejects) assert.ok(frame.length <= 1504);
  server.engine.recvUnknownData(0x0029, new Uint8Array(4), server.now + 1000);
  assert.equal(server.frames.length, before + rejects.length + 1);
});

test('a flood of any packet gets at most two frames each, and leaves nothing behind', () => {
  const flood = (server: Server, make: (turn: number) => Uint8Array): void => {
    for (let turn = 0; turn < 2000; turn++) assert.ok(server.recv(make(turn)).length <= 2);
  };
  flood(up(), (turn) =>
    ppp.frame(ppp.LCP, ppp.REQUEST, turn & 255, ppp.lcp.magic('01020304'), ppp.lcp.mru(1000 + turn)),
  );
  flood(up(), (turn) => ppp.frame(ppp.IPCP, ppp.REQUEST, turn & 255, ppp.ipcp.address(`203.0.113.${turn & 255}`)));
  flood(up(), (turn) => ppp.frame(ppp.LCP, 9, turn & 255, new Uint8Array(1400)));
  flood(up(), (turn) => ppp.frame(ppp.LCP, ppp.TERMINATE_ACK, turn & 255));
  flood(up(), (turn) => ppp.frame(ppp.LCP, turn & 255, 1, new Uint8Array(8)));
  flood(loggedIn(), (turn) => ppp.frame(ppp.CCP, ppp.NAK, turn & 255, MPPE));
  flood(loggedIn(), (turn) => ppp.frame(ppp.IPCP, ppp.REQUEST, turn & 255, new Uint8Array(0)));
});
