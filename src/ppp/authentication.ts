/**
 * Follows the client's login: PAP (RFC 1334), CHAP (RFC 1994) with MS-CHAP (RFC 2433, 2759), EAP (RFC 3748). Passwords, responses
 * and challenges are neither kept nor reported. Only packets of the server decide the result.
 */
import { parseMsChapFailure } from './ms-chap.js';
import type { ControlPacket } from './packet.js';
import type { AuthenticationFailure, AuthenticationState, Side } from './state.js';

/** Packet codes: RFC 1334 §2.2. */
export const PAP = { request: 1, ack: 2, nak: 3 } as const;
/** RFC 1994 §4; change-password RFC 2433 §9-10 and RFC 2759 §7. */
export const CHAP = {
  challenge: 1,
  response: 2,
  success: 3,
  failure: 4,
  changePasswordFrom: 5,
  changePasswordTo: 7,
} as const;
/** RFC 3748 §4. */
const EAP = { request: 1, response: 2, success: 3, failure: 4 } as const;

const EAP_IDENTITY = 1;
const EAP_NOTIFICATION = 2;
const EAP_NAK = 3;
const EAP_MS_CHAP_V2 = 26;
/** EAP method types (IANA "Method Types"). */
const EAP_METHODS: Readonly<Record<number, string>> = {
  4: 'EAP-MD5',
  5: 'EAP-OTP',
  6: 'EAP-GTC',
  13: 'EAP-TLS',
  21: 'EAP-TTLS',
  25: 'EAP-PEAP',
  26: 'EAP-MS-CHAPv2',
  43: 'EAP-FAST',
};

/** What a packet showed: the user's name, the result, or that the client refuses the EAP method. */
export type AuthenticationStep = 'none' | 'malformed' | 'user' | 'succeeded' | 'failed' | 'methodRefused';

export class Authentication {
  #protocol: string | null = null;
  #method: string | null = null;
  #serverName: string | null = null;
  #user: string | null = null;
  #result: AuthenticationState['result'] = 'none';
  #challenges: number;
  #responses: number;
  #message: string | null = null;
  #failure: AuthenticationFailure | null = null;
  /** The cause of an EAP-Failure that may follow: the method's own failure packet, or the client's refusal of the method. */
  #methodFailure: AuthenticationFailure | null = null;

  /** `before`: the login on the same call before LCP began again. Its counts continue, so that each failure has a number. */
  constructor(before: Authentication | null = null) {
    this.#challenges = before === null ? 0 : before.#challenges;
    this.#responses = before === null ? 0 : before.#responses;
  }

  get user(): string | null {
    return this.#user;
  }

  get state(): AuthenticationState {
    return {
      protocol: this.#protocol,
      method: this.#method,
      serverName: this.#serverName,
      result: this.#result,
      challenges: this.#challenges,
      responses: this.#responses,
      message: this.#message,
      failure: this.#failure,
    };
  }

  /** LCP agreed on this protocol. */
  agreed(protocol: string): void {
    this.#protocol = protocol;
    if (this.#result === 'none') this.#result = 'pending';
  }

  observe(sender: Side, packet: ControlPacket): AuthenticationStep {
    if (packet.protocol === 'PAP') return this.#observePap(sender, packet);
    if (packet.protocol === 'CHAP') return this.#observeChap(sender, packet);
    return packet.protocol === 'EAP' ? this.#observeEap(sender, packet) : 'none';
  }

  #observePap(sender: Side, packet: ControlPacket): AuthenticationStep {
    const body = packet.body();
    if (sender === 'client') {
      if (packet.code !== PAP.request) return 'none';
      const name = body.part(body.u8());
      body.part(body.u8());
      if (body.short) return 'malformed';
      return this.#recvUser('PAP', name.text());
    }
    if (packet.code !== PAP.ack && packet.code !== PAP.nak) return 'none';
    // Length and message; Windows omits both.
    const message = body.left === 0 ? '' : body.part(body.u8()).text();
    return packet.code === PAP.ack ? this.#succeed(message) : this.#fail(refusal(message));
  }

  #observeChap(sender: Side, packet: ControlPacket): AuthenticationStep {
    const body = packet.body();
    if (sender === 'client') {
      if (packet.code >= CHAP.changePasswordFrom && packet.code <= CHAP.changePasswordTo) {
        this.#result = 'pending';
        return 'none';
      }
      if (packet.code !== CHAP.response) return 'none';
      body.skip(body.u8());
      if (body.short) return 'malformed';
      return this.#recvUser('CHAP', body.text());
    }
    switch (packet.code) {
      case CHAP.challenge:
        body.skip(body.u8());
        if (body.short) return 'malformed';
        this.#serverName = body.text();
        return this.#recvChallenge('CHAP');
      case CHAP.success:
        return this.#succeed(withoutAuthenticatorResponse(body.text()));
      case CHAP.failure: {
        const text = body.text();
        return this.#fail(parseMsChapFailure(text) ?? refusal(text));
      }
      default:
        return 'none';
    }
  }

  #observeEap(sender: Side, packet: ControlPacket): AuthenticationStep {
    const body = packet.body();
    if (packet.code === EAP.success || packet.code === EAP.failure) {
      if (sender === 'client') return 'none';
      return packet.code === EAP.success ? this.#succeed('') : this.#fail(this.#methodFailure ?? refusal(''));
    }
    if (packet.code !== EAP.request && packet.code !== EAP.response) return 'none';
    const type = body.u8();
    if (body.short) return 'malformed';
    if (sender === 'server' && packet.code === EAP.request) {
      if (type === EAP_NOTIFICATION) this.#message = body.text() || null;
      else if (type > EAP_NAK) {
        this.#method = EAP_METHODS[type] ?? `EAP-${type}`;
        this.#methodFailure = null;
      }
      if (type === EAP_MS_CHAP_V2) this.#observeEapMsChap(body.u8(), body.rest());
      return this.#recvChallenge('EAP');
    }
    if (sender === 'client' && packet.code === EAP.response) {
      if (type === EAP_IDENTITY) return this.#recvUser('EAP', body.text());
      this.#responses++;
      if (type === EAP_NAK) {
        this.#methodFailure = { ...refusal(''), cause: `the client refused ${this.#method ?? 'the EAP method'}` };
        return 'methodRefused';
      }
      return 'none';
    }
    return 'none';
  }

  /** Operation code, identifier, length, message (draft-kamath-pppext-eap-mschapv2 §2). */
  #observeEapMsChap(operation: number, body: ReturnType<ControlPacket['body']>): void {
    if (operation !== CHAP.failure) return;
    body.skip(3);
    this.#methodFailure = parseMsChapFailure(body.text());
  }

  #recvChallenge(family: string): AuthenticationStep {
    this.#protocol ??= family;
    this.#challenges++;
    // A new challenge after the login (pppd's chap-interval) does not undo it.
    if (this.#result === 'none') this.#result = 'pending';
    return 'none';
  }

  #recvUser(family: string, user: string): AuthenticationStep {
    this.#protocol ??= family;
    this.#responses++;
    if (this.#result !== 'succeeded') this.#result = 'pending';
    const known = this.#user === user;
    this.#user = user;
    return known ? 'none' : 'user';
  }

  #succeed(message: string): AuthenticationStep {
    if (this.#result === 'succeeded') return 'none';
    this.#result = 'succeeded';
    this.#failure = null;
    this.#message = message || null;
    return 'succeeded';
  }

  #fail(failure: AuthenticationFailure): AuthenticationStep {
    this.#result = 'failed';
    this.#failure = failure;
    this.#message = failure.message;
    return 'failed';
  }
}

const refusal = (message: string): AuthenticationFailure => ({
  code: null,
  cause: 'login refused',
  message: message || null,
  retry: false,
});

/** MS-CHAPv2's success message is `S=<40 digits> M=<message>` (RFC 2759 §5); the digits are derived from the password. */
function withoutAuthenticatorResponse(text: string): string {
  return text.replace(/^S=[0-9A-Fa-f]*\s*/, '').replace(/^M=/, '');
}
