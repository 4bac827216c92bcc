/**
 * The server's side of the client's login: CHAP (RFC 1994) with MS-CHAP (RFC 2433, RFC 2759), PAP (RFC 1334). Sends challenges,
 * retries and results; its owner draws the challenges and judges the responses.
 */
import { CHAP, PAP } from '../authentication.js';
import type { FieldReader } from '../field-reader.js';
import { FieldWriter } from '../field-writer.js';
import type { ControlPacket } from '../packet.js';
import { writePacket } from '../packet.js';
import type { Clock } from './control-protocol.js';
import type { EngineEnd } from './end.js';
import { same } from './option-exchange.js';
import type { AuthenticationMethod, AuthenticationRequest, Challenge, ChapMethod, Verdict } from './settings.js';

/** pppd's chap-restart and chap-max-challenge. */
const CHALLENGE_MS = 3000;
const MAX_CHALLENGES = 10;
/** How long a client has to send its PAP password; the same value as in pppd. */
const PAP_MS = 30_000;
/** Longer than RADIUS with its retransmissions takes; the client gives up before. Also for the challenge. */
const VERDICT_MS = 60_000;
/** After a failure with R=1 a person types another password (RFC 2759 §6: no short timeouts). */
const RETRY_MS = 60_000;
const MAX_ATTEMPTS = 3;
/** If our Success is lost the client (pppd too) drops everything else, so it is repeated. */
const REPEAT_MS = 3000;
const MAX_REPEATS = 3;

/** RFC 2759 §6. */
const AUTHENTICATION_FAILURE = 691;
const ERROR_CHANGING_PASSWORD = 709;

interface Method {
  /** Its name in LCP's option, see options.ts. */
  readonly lcp: string;
  /** Length of its response in octets; null: PAP has no challenge and a password of any length. */
  readonly response: number | null;
  /** MS-CHAP's `V=`, the version of its password change (RFC 2433 §8, RFC 2759 §6); null: its failures are plain text. */
  readonly changeVersion: number | null;
}

export const METHODS: Readonly<Record<AuthenticationMethod, Method>> = {
  'ms-chap-v2': { lcp: 'MS-CHAPv2', response: 49, changeVersion: 3 },
  'ms-chap': { lcp: 'MS-CHAPv1', response: 49, changeVersion: 2 },
  'chap-md5': { lcp: 'CHAP-MD5', response: 16, changeVersion: null },
  pap: { lcp: 'PAP', response: null, changeVersion: null },
};

export type Accepted = Extract<Verdict, { accepted: true }>;
type Failure = Extract<EngineEnd, { kind: 'authentication' }>;

export type AuthenticatorEvent =
  | { readonly type: 'send'; readonly protocol: 'CHAP' | 'PAP'; readonly packet: Uint8Array }
  | { readonly type: 'challengeNeeded'; readonly id: number; readonly method: ChapMethod }
  | { readonly type: 'authenticate'; readonly request: AuthenticationRequest }
  | { readonly type: 'accepted'; readonly verdict: Accepted }
  | { readonly type: 'failed'; readonly cause: EngineEnd };

export interface AuthenticatorOptions {
  /** Our name in challenges. */
  readonly name: string;
  /** Of the first challenge. */
  readonly identifier: number;
  readonly clock: Clock;
  readonly onEvent: (event: AuthenticatorEvent) => void;
}

/** What the client sent, as far as it decides whether it is the same again. */
interface Login {
  readonly identifier: number;
  readonly octets: Uint8Array;
}

type State =
  | { readonly name: 'idle' }
  /** For a challenge from the owner. */
  | { readonly name: 'drawing'; readonly id: number; readonly deadline: number }
  /** For a response to the challenge, or for PAP's request. */
  | { readonly name: 'waiting'; readonly challenges: number; readonly deadline: number }
  | { readonly name: 'judging'; readonly id: number; readonly login: Login; readonly deadline: number }
  /** Refused, and the client may try again. */
  | {
      readonly name: 'retrying';
      readonly login: Login;
      readonly result: Result;
      readonly deadline: number;
    }
  /** `deadline`: then the result goes once more, for a client that does not show that it has it. */
  | {
      readonly name: 'done';
      readonly login: Login;
      readonly result: Result;
      readonly repeats: number;
      readonly deadline: number | null;
    };

interface Result {
  readonly code: number;
  readonly body: Uint8Array;
}

const EMPTY = new Uint8Array(0);

export class Authenticator {
  readonly #options: AuthenticatorOptions;
  #state: State = { name: 'idle' };
  #method: AuthenticationMethod = 'ms-chap-v2';
  #identifier: number;
  #challenge: Uint8Array = EMPTY;
  #attempts = 0;
  /** Numbers all requests of this link, so that a challenge or a verdict finds its own one or none. */
  #lastId = 0;
  #failure: Failure | null = null;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
    this.#identifier = options.identifier;
  }

  get method(): AuthenticationMethod {
    return this.#method;
  }

  /** The last refusal, as long as no login has been accepted since. */
  get failure(): Failure | null {
    return this.#failure;
  }

  get deadline(): number | null {
    return 'deadline' in this.#state ? this.#state.deadline : null;
  }

  get #family(): 'CHAP' | 'PAP' {
    return this.#method === 'pap' ? 'PAP' : 'CHAP';
  }

  start(method: AuthenticationMethod): void {
    this.#method = method;
    this.#attempts = 0;
    this.#failure = null;
    this.#challenge = EMPTY;
    const { now } = this.#options.clock;
    if (method === 'pap') {
      this.#state = { name: 'waiting', challenges: 0, deadline: now + PAP_MS };
      return;
    }
    this.#lastId++;
    this.#state = { name: 'drawing', id: this.#lastId, deadline: now + VERDICT_MS };
    this.#options.onEvent({ type: 'challengeNeeded', id: this.#lastId, method });
  }

  recvChallenge({ id, octets }: Challenge): void {
    if (this.#state.name !== 'drawing' || this.#state.id !== id) return;
    this.#identifier = (this.#identifier + 1) & 0xff;
    this.#challenge = octets;
    this.#sendChallenge(1);
  }

  /** The link below is down: nothing is sent any more, and a verdict that comes late is of no link. */
  stop(): void {
    this.#state = { name: 'idle' };
  }

  tick(): void {
    if (this.deadline === null || this.deadline > this.#options.clock.now) return;
    switch (this.#state.name) {
      case 'waiting':
        if (this.#family === 'CHAP' && this.#state.challenges < MAX_CHALLENGES) {
          this.#sendChallenge(this.#state.challenges + 1);
          return;
        }
        this.#end({ kind: 'authenticationTimeout', method: this.#method, challenges: this.#state.challenges });
        return;
      case 'drawing':
      case 'judging':
        this.#end({ kind: 'verdictTimeout' });
        return;
      case 'retrying':
        this.#end(this.#failure ?? { kind: 'verdictTimeout' });
        return;
      case 'done':
        this.#repeat(this.#state);
        return;
      case 'idle':
        return;
    }
  }

  /** The client goes on, so it has our success. */
  confirm(): void {
    if (this.#state.name === 'done') this.#state = { ...this.#state, deadline: null };
  }

  #repeat(state: Extract<State, { name: 'done' }>): void {
    const { repeats, login, result } = state;
    const deadline = repeats + 1 < MAX_REPEATS ? this.#options.clock.now + REPEAT_MS : null;
    this.#state = { ...state, repeats: repeats + 1, deadline };
    this.#send(result.code, login.identifier, result.body);
  }

  /** The client has rejected CHAP or PAP itself. */
  recvProtocolReject(protocol: 'CHAP' | 'PAP'): void {
    if (protocol !== this.#family || this.#state.name === 'idle' || this.#state.name === 'done') return;
    this.#end({ kind: 'protocolRejected', protocol });
  }

  recv(packet: ControlPacket): void {
    if (packet.protocol !== this.#family) return;
    if (packet.protocol === 'PAP') this.#recvPap(packet);
    else this.#recvChap(packet);
  }

  #recvChap({ code, identifier, body }: ControlPacket): void {
    if (code >= CHAP.changePasswordFrom && code <= CHAP.changePasswordTo) {
      this.#refuseChange(identifier);
      return;
    }
    if (code !== CHAP.response) return;
    const fields = body();
    const login = { identifier, octets: octetsOf(body()) };
    const response = octetsOf(fields.part(fields.u8()));
    if (fields.short || this.#isAnswered(login)) return;
    const isExpected =
      this.#state.name === 'waiting'
        ? identifier === this.#identifier
        : this.#state.name === 'retrying' && isNext(this.#identifier, identifier);
    if (isExpected) this.#judge(login, octetsOf(fields), response);
  }

  #recvPap({ code, identifier, body }: ControlPacket): void {
    if (code !== PAP.request) return;
    const fields = body();
    const name = octetsOf(fields.part(fields.u8()));
    const password = octetsOf(fields.part(fields.u8()));
    if (fields.short) return;
    const login = { identifier, octets: octetsOf(body()) };
    // A client counts its identifiers on when it repeats its request, and takes the answer to any of them.
    if (this.#state.name === 'judging' && same(this.#state.login.octets, login.octets)) {
      this.#state = { ...this.#state, login };
      return;
    }
    if (this.#state.name === 'done') this.#send(this.#state.result.code, identifier, this.#state.result.body);
    else if (this.#state.name === 'waiting') this.#judge(login, name, password);
  }

  /** A response that comes again gets the result that it got, since that one may be lost (RFC 1994 §4.2). */
  #isAnswered(login: Login): boolean {
    const state = this.#state;
    if (state.name !== 'done' && state.name !== 'retrying') return false;
    if (login.identifier !== state.login.identifier) return false;
    if (state.name === 'retrying' && !same(login.octets, state.login.octets)) return false;
    this.#send(state.result.code, login.identifier, state.result.body);
    return true;
  }

  #judge(login: Login, name: Uint8Array, response: Uint8Array): void {
    this.#attempts++;
    this.#lastId++;
    const deadline = this.#options.clock.now + VERDICT_MS;
    this.#state = { name: 'judging', id: this.#lastId, login, deadline };
    const expected = METHODS[this.#method].response;
    if (expected !== null && response.length !== expected) {
      const refusal = { accepted: false, code: AUTHENTICATION_FAILURE, retryChallenge: null } as const;
      this.recvVerdict({ id: this.#lastId, ...refusal, message: 'Malformed response' });
      return;
    }
    const { identifier } = login;
    const request = { id: this.#lastId, method: this.#method, name, challenge: this.#challenge, response, identifier };
    this.#options.onEvent({ type: 'authenticate', request });
  }

  recvVerdict(verdict: Verdict): void {
    const state = this.#state;
    if (state.name !== 'judging' || state.id !== verdict.id) return;
    const { login } = state;
    if (verdict.accepted) {
      this.#failure = null;
      const result = this.#success(verdict.message, login.octets);
      this.#state = { name: 'done', login, result, repeats: 0, deadline: this.#options.clock.now + REPEAT_MS };
      this.#send(result.code, login.identifier, result.body);
      this.#options.onEvent({ type: 'accepted', verdict });
      return;
    }
    const { code, message, retryChallenge } = verdict;
    const mayRetry = METHODS[this.#method].changeVersion !== null && this.#attempts < MAX_ATTEMPTS;
    this.#refuse(login, code, mayRetry ? retryChallenge : null, message);
  }

  #refuse(login: Login, code: number, retryChallenge: Uint8Array | null, message: string): void {
    this.#failure = { kind: 'authentication', method: this.#method, code, message };
    const retry = retryChallenge !== null;
    if (retry) {
      this.#identifier = login.identifier;
      this.#challenge = retryChallenge;
    }
    const result = this.#refusal(code, retry, message);
    const deadline = this.#options.clock.now + RETRY_MS;
    this.#state = retry
      ? { name: 'retrying', login, result, deadline }
      : { name: 'done', login, result, repeats: 0, deadline: null };
    this.#send(result.code, login.identifier, result.body);
    if (!retry) this.#options.onEvent({ type: 'failed', cause: this.#failure });
  }

  /** Changes of passwords have to be made where the passwords are. */
  #refuseChange(identifier: number): void {
    if (this.#state.name !== 'retrying') return;
    this.#refuse({ identifier, octets: EMPTY }, ERROR_CHANGING_PASSWORD, null, 'Passwords cannot be changed here');
  }

  #success(message: string, octets: Uint8Array): Result {
    if (this.#family === 'PAP') return { code: PAP.ack, body: counted(message) };
    // Windows 98 takes no text in a success; it is known by flags in its response, which others leave zero (RFC 2759 §4).
    const bare = this.#method === 'ms-chap-v2' && octets[METHODS['ms-chap-v2'].response ?? 0] !== 0;
    const text = bare ? message.replace(/ M=.*$/s, '') : message;
    return { code: CHAP.success, body: new FieldWriter().text(text).octets };
  }

  #refusal(code: number, retry: boolean, message: string): Result {
    if (this.#family === 'PAP') return { code: PAP.nak, body: counted(message) };
    const { changeVersion } = METHODS[this.#method];
    const challenge = Buffer.from(this.#challenge).toString('hex').toUpperCase();
    const text =
      changeVersion === null
        ? message
        : `E=${code} R=${retry ? 1 : 0} C=${challenge} V=${changeVersion}${this.#method === 'ms-chap-v2' ? ` M=${message}` : ''}`;
    return { code: CHAP.failure, body: new FieldWriter().text(text).octets };
  }

  #sendChallenge(challenges: number): void {
    this.#state = { name: 'waiting', challenges, deadline: this.#options.clock.now + CHALLENGE_MS };
    const body = new FieldWriter().u8(this.#challenge.length).bytes(this.#challenge).text(this.#options.name);
    this.#send(CHAP.challenge, this.#identifier, body.octets);
  }

  #end(cause: EngineEnd): void {
    this.#state = { name: 'idle' };
    this.#options.onEvent({ type: 'failed', cause });
  }

  #send(code: number, identifier: number, body: Uint8Array): void {
    this.#options.onEvent({ type: 'send', protocol: this.#family, packet: writePacket(code, identifier, body) });
  }
}

/** A retry has the failed response's identifier or, as RFC 2759 §7 has it for changed passwords, the one after it. */
const isNext = (failed: number, identifier: number): boolean =>
  identifier === failed || identifier === ((failed + 1) & 0xff);

const octetsOf = (fields: FieldReader): Uint8Array => fields.bytes(fields.left);

/** A length octet and the text, cut to what the octet can say (RFC 1334 §2.2.2). */
function counted(message: string): Uint8Array {
  const text = Buffer.from(message, 'utf8').subarray(0, 255);
  return new FieldWriter().u8(text.length).bytes(text).octets;
}
