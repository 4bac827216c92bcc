/**
 * Failed logins of the builtin engine, from the packets to the explanation: the engine with a client that fails, the reader
 * that sees both, and the cause that the log names. It is the one that pppd's failure has, where pppd fails so.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { configurationSchema } from '../../../src/config/schema.js';
import { type Explanation, explain, type FailureCause } from '../../../src/ctrl/explain.js';
import { linkEnded } from '../../../src/ctrl/session-end.js';
import type { EngineSettings } from '../../../src/ppp/engine/engine.js';
import { PppReader } from '../../../src/ppp/reader.js';
import { ACCEPT, REFUSE, refuseOnce, Server } from '../ppp/engine/peer.js';
import * as ppp from '../ppp/frames.js';

const MPPE = ppp.mppe('01000040');
const PROTOCOL_REJECT = 8;
const isOf = (protocol: number, code: number) => (frame: Uint8Array) =>
  frame[2] === protocol >> 8 && frame[3] === (protocol & 255) && frame[4] === code;

/** An engine and its client, with a reader between them. */
class Login {
  readonly server: Server;
  readonly #reader = new PppReader();

  constructor(settings: Partial<EngineSettings> = {}) {
    this.server = new Server(settings);
    this.server.onFrame = (frame) => this.#reader.observe('toClient', frame, this.server.now);
  }

  start(): this {
    this.server.start();
    return this;
  }

  send(protocol: number, code: number, identifier: number, ...parts: Parameters<typeof ppp.bytes>): void {
    this.recv(ppp.frame(protocol, code, identifier, ...parts));
  }

  recv(frame: Uint8Array): Uint8Array[] {
    this.#reader.observe('fromClient', frame, this.server.now);
    return this.server.recv(frame);
  }

  /** The engine's last packet of this kind. */
  last(protocol: number, code: number = ppp.REQUEST): Uint8Array {
    const frame = this.server.frames.findLast(isOf(protocol, code));
    assert(frame !== undefined);
    return frame;
  }

  /** Acknowledges the engine's last request, or answers it otherwise. */
  answer(protocol: number, code: number = ppp.ACK, data: Uint8Array = this.last(protocol).subarray(8)): void {
    this.send(protocol, code, this.last(protocol)[5] ?? 0, data);
  }

  open(): this {
    this.start();
    this.answer(ppp.LCP);
    this.send(ppp.LCP, ppp.REQUEST, 1, ppp.lcp.magic('21d6ac10'));
    return this;
  }

  respond(): this {
    const response = ppp.counted(new Uint8Array(49));
    this.send(ppp.CHAP, 2, this.last(ppp.CHAP, 1)[5] ?? 0, response, 'alice');
    return this;
  }

  encrypt(): this {
    this.send(ppp.CCP, ppp.REQUEST, 1, MPPE);
    this.answer(ppp.CCP);
    return this;
  }

  up(): this {
    this.send(ppp.IPCP, ppp.REQUEST, 1, ppp.ipcp.address('198.51.100.11'));
    this.answer(ppp.IPCP);
    return this;
  }

  /** Lets time pass until the engine has ended the link. */
  explained(): Explanation | null {
    const { server } = this;
    while (server.end === undefined) server.tick();
    return explain({
      end: linkEnded({ kind: 'ppp', end: server.end }, true),
      peer: '192.0.2.11',
      local: '192.0.2.1',
      seconds: server.now / 1000,
      link: 'tun',
      ppp: this.#reader.state,
      counters: null,
      tunnelPackets: 0,
      configuration: configurationSchema.parse({ ppp: { engine: 'builtin' } }),
    });
  }
}

type Failing = readonly [what: string, cause: FailureCause | null, fail: () => Login, text?: RegExp];

const judgedBy = (judge: Server['judge']): Login => {
  const login = new Login();
  login.server.judge = judge;
  return login.open().respond();
};
const loggedIn = (settings: Partial<EngineSettings> = {}): Login => new Login(settings).open().respond();
const after = (login: Login, act: (login: Login) => void): Login => {
  act(login);
  return login;
};

const logins: readonly Failing[] = [
  ['nothing arrives', 'greNotReceived', () => new Login().start(), /client 0, server 10\)/],
  [
    'the client repeats its request and hears nothing',
    'greNotDelivered',
    () =>
      after(new Login().start(), (login) => {
        for (let turn = 1; turn <= 8; turn++) {
          login.send(ppp.LCP, ppp.REQUEST, turn, ppp.lcp.magic('21d6ac10'));
          login.server.tick();
        }
      }),
  ],
  [
    'our own frames come back',
    'loopback',
    () =>
      after(new Login().start(), (login) => {
        let frames: readonly Uint8Array[] = login.server.frames;
        while (login.server.end === undefined) {
          const [echo] = frames;
          frames = echo === undefined ? login.server.tick() : login.recv(echo);
        }
      }),
  ],
  [
    'the client proposes another value for ever',
    'noAgreement',
    () =>
      after(new Login().start(), (login) => {
        for (let turn = 0; login.server.end === undefined; turn++)
          login.answer(ppp.LCP, ppp.NAK, ppp.lcp.mru(1000 + (turn % 300)));
      }),
    /agreed to no LCP options/,
  ],
  [
    'the client wants to log in by PAP',
    'authProtocolRefused',
    () =>
      after(new Login().start(), (login) => {
        while (login.server.types.length === 0) {
          const asksForLogin = Buffer.from(login.last(ppp.LCP)).includes(Buffer.from(ppp.lcp.msChapV2));
          if (asksForLogin) login.answer(ppp.LCP, ppp.NAK, ppp.lcp.pap);
          else {
            login.answer(ppp.LCP);
            login.send(ppp.LCP, ppp.REQUEST, 1, ppp.lcp.magic('21d6ac10'));
          }
        }
      }),
    /refused to log in by MS-CHAPv2 and wants PAP; remedy: .*ppp\.authentication$/,
  ],
  [
    'the client rejects CHAP as a protocol',
    'authProtocolRefused',
    () => after(new Login().open(), (login) => login.send(ppp.LCP, PROTOCOL_REJECT, 1, ppp.hex('c223'))),
  ],
  [
    'the client answers no challenge',
    'loginUnanswered',
    () => new Login({ lcpEcho: { interval: 0, failures: 1 } }).open(),
  ],
  [
    'a wrong password or an unknown name',
    'authenticationFailed',
    () => judgedBy(() => REFUSE),
    /E=691.* get the same answer; /,
  ],
  [
    'nobody checks the login',
    'loginNotChecked',
    () => {
      const login = new Login({ lcpEcho: { interval: 0, failures: 1 } });
      login.server.judge = null;
      return login.open().respond();
    },
  ],
  [
    'the account allows no address',
    'addressNotAllowed',
    () => {
      const login = new Login({ remote: null });
      return login.open().respond();
    },
    /user "alice" any address/,
  ],
  ['the server has no address', 'addressRefused', () => loggedIn({ local: null }), /addresses\.local/],
  [
    'the login gives no keys',
    'encryptionUnavailable',
    () => judgedBy(() => ({ ...ACCEPT, hasKeys: false })),
    /ppp\.encryptionKeys/,
  ],
  [
    'the client rejects MPPE',
    'encryptionRefusedByClient',
    () => after(loggedIn(), (login) => login.answer(ppp.CCP, ppp.REJECT)),
    /or set ppp\.encryption to "prefer"$/,
  ],
  [
    'the client rejects CCP',
    'encryptionRefusedByClient',
    () => after(loggedIn(), (login) => login.send(ppp.LCP, PROTOCOL_REJECT, 1, ppp.hex('80fd'))),
  ],
  [
    'the client has shorter keys only',
    'encryptionModesDiffer',
    () =>
      after(loggedIn(), (login) => {
        login.send(ppp.CCP, ppp.REQUEST, 1, ppp.mppe('01000020'));
        login.answer(ppp.CCP, ppp.NAK, ppp.mppe('01000020'));
      }),
    /or add 40 to ppp\.encryptionKeys$/,
  ],
  [
    'the client does not answer CCP',
    'negotiationTimeout',
    () => loggedIn({ lcpEcho: { interval: 0, failures: 1 } }),
    /10 CCP/,
  ],
  [
    'the client does not answer IPCP',
    'negotiationTimeout',
    () => loggedIn({ lcpEcho: { interval: 0, failures: 1 } }).encrypt(),
    /10 IPCP/,
  ],
  [
    'the client has no IPv4',
    'noNetworkProtocol',
    () => after(loggedIn().encrypt(), (login) => login.send(ppp.LCP, PROTOCOL_REJECT, 1, ppp.hex('8021'))),
  ],
  [
    'the client insists on an address',
    'addressRefused',
    () =>
      after(loggedIn().encrypt(), (login) => {
        for (let turn = 1; turn <= 6; turn++) login.send(ppp.IPCP, ppp.REQUEST, turn, ppp.ipcp.address('203.0.113.1'));
        login.answer(ppp.IPCP);
        login.send(ppp.IPCP, ppp.REQUEST, 7);
      }),
    /insists on the address 203\.0\.113\.1, but the server assigns 198\.51\.100\.11; remedy: .*\(ppp\.secrets\)$/,
  ],
  [
    'the client requests no address',
    'addressRefused',
    () =>
      after(loggedIn().encrypt(), (login) => {
        for (const turn of [1, 2]) login.send(ppp.IPCP, ppp.REQUEST, turn);
        login.answer(ppp.IPCP);
      }),
    /requested no address/,
  ],
  [
    'the client refuses our address',
    'addressRefused',
    () =>
      after(loggedIn().encrypt(), (login) => {
        for (let turn = 1; turn <= 5; turn++) login.answer(ppp.IPCP, ppp.NAK, ppp.ipcp.address('203.0.113.9'));
        login.answer(ppp.IPCP);
        login.send(ppp.IPCP, ppp.REQUEST, 1, ppp.ipcp.address('198.51.100.11'));
      }),
    /refused our address in the tunnel, 198\.51\.100\.1, and wants 203\.0\.113\.9/,
  ],
  [
    'the client hangs up before the link is up',
    'terminated',
    () => after(new Login().open(), (login) => login.send(ppp.LCP, ppp.TERMINATE, 2, 'User request')),
    /"User request"/,
  ],
  [
    'the client gives up after a wrong password',
    'authenticationFailed',
    () => {
      const login = new Login();
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the client may try again
      login.server.judge = refuseOnce;
      return after(login.open().respond(), () => login.send(ppp.LCP, ppp.TERMINATE, 2));
    },
  ],
];

const sessions: readonly Failing[] = [
  ['the client answers no echo request', 'clientVanished', () => loggedIn().encrypt().up(), /\(ppp\.lcpEcho\)/],
  [
    'the client closes CCP',
    'encryptionLost',
    () => after(loggedIn().encrypt().up(), (login) => login.send(ppp.CCP, ppp.TERMINATE, 2)),
  ],
  [
    'the client hangs up',
    null,
    () => after(loggedIn().encrypt().up(), (login) => login.send(ppp.LCP, ppp.TERMINATE, 2)),
  ],
  [
    'the client closes IPCP',
    null,
    () => after(loggedIn().encrypt().up(), (login) => login.send(ppp.IPCP, ppp.TERMINATE, 2)),
  ],
];

for (const [when, table] of Object.entries({ 'a login': logins, 'a session that was up': sessions }))
  describe(`${when} ends because`, () => {
    for (const [what, cause, fail, text = /./] of table)
      test(`${what}: ${cause ?? 'no failure'}`, () => {
        const explanation = fail().explained();
        assert.equal(explanation?.cause, cause ?? undefined);
        if (explanation !== null) assert.match(explanation.text, text);
      });
  });
