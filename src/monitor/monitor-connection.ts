/** A connection to the monitor, for workers, manager and root: requests and their answers. */
import { close } from '../sys/descriptor.js';
import { SystemCallFailed } from '../sys/libc.js';
import { Poller } from '../sys/poller.js';
import { connectSeqpacket, peerCredentials, receivePacket, sendPacket } from '../sys/seqpacket-socket.js';
import { MonitorError, type MonitorFailure } from './monitor-failure.js';
import { decodeAnswer, encodeMessage, MAX_MESSAGE, type MonitorAnswer, type MonitorRequest } from './protocol.js';

/** Longer than ip-pre-up may take and a monitor that died needs to be started again, ms. */
const TIMEOUT_MS = 20_000;
/** Until a monitor that is just being started is tried again, ms. */
const RETRY_MS = 50;
/**
 * The supervisor keeps the socket open while a monitor is started again. So nobody listens only while both are replaced; ms.
 * A worker whose manager is still registering it is a stranger for no longer than that, too.
 */
const ABSENCE_MS = 3000;

/** Whether root listens at `path`. */
export function isMonitorListening(path: string): boolean {
  let fd: number;
  try {
    fd = connectSeqpacket(path);
  } catch (error) {
    if (error instanceof SystemCallFailed) return false;
    throw error;
  }
  const { uid } = peerCredentials(fd);
  close(fd);
  return uid === 0;
}

type Succeeded = Exclude<MonitorAnswer, { type: 'notJudged' | 'failed' | 'refused' }>;

/** An answer, and the descriptors that came with it, which the receiver closes. */
export interface Answered {
  readonly answer: Succeeded;
  readonly descriptors: readonly number[];
}

interface Waiting {
  readonly id: number;
  readonly request: MonitorRequest;
  /** On the clock of performance.now(). */
  readonly since: number;
  readonly resolve: (answered: Answered) => void;
  readonly reject: (error: MonitorError) => void;
  readonly timer: NodeJS.Timeout;
}

export interface MonitorConnectionOptions {
  /** The monitor's socket. */
  readonly path: string;
  /** What a monitor has to be told before anything else; its answers are not waited for. */
  readonly onReconnect?: () => readonly MonitorRequest[];
  /** How long requests wait for somebody to listen, and to be known there, ms. */
  readonly absence?: number;
}

/**
 * Connects when it is first asked for something, and again when the monitor has died; a request that got no answer is
 * sent again then. Requests are answered in their order.
 */
export class MonitorConnection {
  readonly #path: string;
  readonly #onReconnect: () => readonly MonitorRequest[];
  readonly #absence: number;
  readonly #into = Buffer.alloc(MAX_MESSAGE + 1);
  #waiting: Waiting[] = [];
  #lastId = 0;
  #open: { readonly fd: number; readonly poller: Poller } | null = null;
  #retryTimer: NodeJS.Timeout | undefined;
  /** Since when the monitor has refused this process as a stranger; null: it has not. */
  #strangerSince: number | null = null;
  #closed = false;

  constructor({ path, onReconnect = () => [], absence = ABSENCE_MS }: MonitorConnectionOptions) {
    this.#path = path;
    this.#onReconnect = onReconnect;
    this.#absence = absence;
  }

  /** Rejects with MonitorError, after `patience` ms at the latest. */
  async ask(request: MonitorRequest, patience = TIMEOUT_MS): Promise<Answered> {
    if (this.#closed) throw new MonitorError({ kind: 'unavailable', code: 'closed' });
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      const timer = setTimeout(() => this.#fail(id, { kind: 'unavailable', code: 'ETIMEDOUT' }), patience);
      const waiting = { id, request, since: performance.now(), resolve, reject, timer };
      this.#waiting.push(waiting);
      if (this.#open !== null) this.#send(id, request);
      else if (this.#retryTimer === undefined) this.#connect();
    });
  }

  /** Idempotent. Requests that wait for their answers fail. */
  close(): void {
    this.#closed = true;
    this.giveUp();
  }

  /** Requests that wait for their answers fail; the next one does not wait for their end, as it has a connection of its own. */
  giveUp(): void {
    if (this.#waiting.length === 0 && !this.#closed) return;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#disconnect();
    for (const { id } of this.#waiting) this.#fail(id, { kind: 'unavailable', code: 'closed' });
  }

  #connect(): void {
    this.#retryTimer = undefined;
    if (this.#closed || this.#waiting.length === 0) return;
    let fd: number;
    try {
      fd = connectSeqpacket(this.#path);
    } catch (error) {
      if (!(error instanceof SystemCallFailed)) throw error;
      this.#recvAbsence(error.code);
      return;
    }
    if (peerCredentials(fd).uid !== 0) {
      close(fd);
      this.#retry();
      return;
    }
    const poller = new Poller(() => this.#receive());
    this.#open = { fd, poller };
    poller.watch(fd, true, false);
    for (const request of this.#onReconnect()) this.#send(0, request);
    for (const { id, request } of this.#waiting) this.#send(id, request);
  }

  /** Nobody listens. */
  #recvAbsence(code: string): void {
    const latest = performance.now() - this.#absence;
    for (const { id, since } of this.#waiting) if (since < latest) this.#fail(id, { kind: 'unavailable', code });
    this.#retry();
  }

  /** The monitor does not know this process: the manager may still be registering it. */
  #recvStranger(): void {
    this.#strangerSince ??= performance.now();
    const isOver = performance.now() - this.#strangerSince > this.#absence;
    if (isOver) for (const { id } of this.#waiting) this.#fail(id, { kind: 'refused', reason: 'stranger' });
    if (isOver) this.#strangerSince = null;
    this.#retry();
  }

  #retry(): void {
    if (!this.#closed && this.#waiting.length > 0) this.#retryTimer ??= setTimeout(() => this.#connect(), RETRY_MS);
  }

  #send(id: number, request: MonitorRequest): void {
    // What the monitor does not take now it takes after the next connection.
    if (this.#open !== null && sendPacket(this.#open.fd, encodeMessage(id, request)) !== 'sent') this.#lost();
  }

  #receive(): void {
    while (this.#open !== null) {
      const packet = receivePacket(this.#open.fd, this.#into, true);
      if (packet === null) return;
      if (packet === 'closed') {
        this.#lost();
        return;
      }
      const decoded = decodeAnswer(this.#into.subarray(0, Math.min(packet.length, MAX_MESSAGE)));
      if (decoded.ok) this.#take(decoded.id, decoded.message, packet.descriptors);
      else for (const fd of packet.descriptors) close(fd);
    }
  }

  #take(id: number, answer: MonitorAnswer, descriptors: readonly number[]): void {
    // Id 0: it refuses the connection, or did not understand whose request it was.
    const all = id === 0 && answer.type === 'refused' ? this.#waiting : this.#waiting.filter((each) => each.id === id);
    if (answer.type === 'refused') {
      this.#disconnect();
      if (id === 0 && answer.reason === 'stranger') {
        this.#recvStranger();
        return;
      }
      for (const waiting of all) this.#fail(waiting.id, { kind: 'refused', reason: answer.reason });
      this.#retry();
      return;
    }
    this.#strangerSince = null;
    const [waiting] = all;
    if (waiting === undefined || answer.type === 'failed' || answer.type === 'notJudged') {
      for (const fd of descriptors) close(fd);
      if (answer.type === 'failed') this.#fail(id, { kind: 'failed', step: answer.step, code: answer.code });
      if (answer.type === 'notJudged')
        this.#fail(id, { kind: 'notJudged', problem: answer.problem, servers: answer.servers });
      return;
    }
    this.#settle(waiting);
    waiting.resolve({ answer, descriptors });
  }

  #fail(id: number, failure: MonitorFailure): void {
    const waiting = this.#waiting.find((each) => each.id === id);
    if (waiting === undefined) return;
    this.#settle(waiting);
    waiting.reject(new MonitorError(failure));
  }

  #settle(waiting: Waiting): void {
    clearTimeout(waiting.timer);
    this.#waiting = this.#waiting.filter((each) => each !== waiting);
  }

  #lost(): void {
    this.#disconnect();
    this.#retry();
  }

  #disconnect(): void {
    this.#open?.poller.close();
    if (this.#open !== null) close(this.#open.fd);
    this.#open = null;
  }
}
