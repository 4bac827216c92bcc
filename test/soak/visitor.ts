/**
 * One client's visit: it connects, calls, logs in, stays and asks for echoes through its tunnel, and comes to the end that
 * was drawn for it. Anything that does not go as it should is the visit's fault, told to whoever has sent it.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { CALL, Client, START } from '../process/support/client.js';
import { within } from '../process/support/wait.js';
import type { GreCall, GreHub } from './gre-hub.js';
import type { Attempt } from './ledger.js';
import { PppClient } from './ppp-client.js';

/** Far beyond what loss and a busy machine make of any answer. */
const LIMIT_MS = 60_000;
/** Between two echoes, milliseconds. */
const ECHO_MS = 2000;

export interface VisitorOptions {
  readonly hub: GreHub;
  readonly attempt: Attempt;
  readonly user: string;
}

export class Visitor {
  readonly attempt: Attempt;
  readonly #hub: GreHub;
  readonly #user: string;
  #client: Client | null = null;
  #call: GreCall | null = null;
  #ppp: PppClient | null = null;
  /** Ours as the server calls it: what the session's record has. */
  callId = 0;
  echoes = 0;

  constructor({ hub, attempt, user }: VisitorOptions) {
    this.#hub = hub;
    this.attempt = attempt;
    this.#user = user;
  }

  get client(): Client {
    if (this.#client === null) throw new Error('it is not connected');
    return this.#client;
  }

  async connect(): Promise<void> {
    this.#client = await within('a connection', Client.connect(this.attempt.address), LIMIT_MS);
    this.#client.answersEchoes = true;
  }

  /** From here on it may be a session; with the reply it is. Rejects with what the server answers instead. */
  async start(): Promise<void> {
    this.attempt.session = 'unknown';
    this.client.send(START);
    const { resultCode } = await this.client.next('StartControlConnectionReply');
    if (resultCode !== 1) throw new Error(`the start was refused with result ${resultCode}`);
    this.attempt.session = 'yes';
  }

  /** The server's pppd has sent its first frame when this resolves. */
  async call(): Promise<void> {
    this.hangUp();
    const call = this.#hub.call(this.attempt.address);
    this.#call = call;
    this.client.send({ ...CALL, callId: call.callId });
    const reply = await this.client.next('OutgoingCallReply');
    if (reply.resultCode !== 1) throw new Error(`the call was refused with result ${reply.resultCode}`);
    this.callId = reply.callId;
  }

  /** Begins the negotiation; resolves when the address is there. */
  async logIn(): Promise<void> {
    const call = this.#call;
    if (call === null) throw new Error('it has no call');
    const ppp = new PppClient(this.#user, (frame) => call.send(frame));
    this.#ppp = ppp;
    call.onFrame = (frame) => ppp.recv(frame);
    const up = new Promise<void>((resolve) => (ppp.onUp = resolve));
    call.begin(this.callId);
    ppp.open();
    await this.#unlessClosed('a login', up);
    this.attempt.user = this.#user;
  }

  /** Asks for echoes through the tunnel for so long, milliseconds, once at least; the session has to live all the while. */
  async stay(duration: number): Promise<void> {
    const end = performance.now() + duration;
    for (let left = duration; ; left = end - performance.now()) {
      await this.echo();
      if (left <= 0) return;
      await this.#unlessClosed('the time', wait(Math.min(ECHO_MS, left)));
    }
  }

  /** One echo, through the tunnel and back. */
  async echo(): Promise<void> {
    const { ppp } = this;
    this.echoes += 1;
    await this.#unlessClosed('an echo', ppp.echo(`${this.#user} ${this.echoes}`));
  }

  get ppp(): PppClient {
    if (this.#ppp === null) throw new Error('it has no PPP');
    return this.#ppp;
  }

  /** The server has closed the connection, or we have. */
  async gone(): Promise<void> {
    await within('the end of the connection', this.client.whenClosed, LIMIT_MS);
  }

  /** Says and hears nothing more over GRE. */
  hangUp(): void {
    this.#ppp?.close();
    this.#call?.close();
    this.#ppp = null;
    this.#call = null;
  }

  /** Leaves nothing open. */
  close(): void {
    this.hangUp();
    this.#client?.reset();
  }

  async #unlessClosed<T>(what: string, awaited: Promise<T>): Promise<T> {
    const closed = this.client.whenClosed.then(() => {
      throw new Error(`the session ended before ${what}`);
    });
    return within(what, Promise.race([awaited, closed]), LIMIT_MS);
  }
}
