/**
 * The control connection of one client, the server's side of RFC 2637 §3.1.3: it receives and sends messages, says which
 * ones are expected in which state, and ends in order. Its owner handles calls.
 */
import type { Duplex } from 'node:stream';
import {
  type ControlMessage,
  describe,
  encode,
  Framer,
  type FramerItem,
  type MessageOf,
  PROTOCOL_VERSION,
  RESULT,
} from '../pptp/index.js';
import type { Tap } from '../session/captures.js';
import { CLOSE_REASONS, type CloseReason } from '../session/close-reason.js';
import { Keepalive, type KeepaliveEvent } from './keepalive.js';
import type { PeerLog } from './peer-log.js';
import type { SessionEnd } from './session-end.js';
import type { Timers } from './timers.js';

/**
 * Time for the reply to our Stop-Control-Connection-Request, and then for the last message to be taken. RFC 2637 sets
 * none for either; most clients close the connection without a reply.
 */
const STOP_REPLY_SECONDS = 2;

/**
 * While more octets than these wait for the client, nothing is read from it: TCP then stops it from sending, and if it
 * never reads, its silence ends the session.
 */
const MAX_UNSENT = 64 * 1024;

/** Kinds of unexpected messages that are logged. */
const MAX_WARNINGS = 32;

/** Framing and bearer capabilities: both kinds of each (RFC 2637 §2.2). */
const CAPABILITIES = { framingCapabilities: 3, bearerCapabilities: 3 } as const;

/** Keepalive messages are routine. */
const levelOf = ({ type }: ControlMessage): 'debug' | 'info' =>
  type === 'EchoRequest' || type === 'EchoReply' ? 'debug' : 'info';

type State =
  | 'awaitStart'
  | 'established'
  /** The client has asked for the stop. `close` sends the reply, after the call has ended. */
  | 'stopRequested'
  /** The client gave no sign of life; `close` is due. */
  | 'silent'
  /** The connection cannot be used any more; `close` is due. */
  | 'lost'
  /** `close` has sent a stop request. */
  | 'awaitStopReply'
  /** Our half of the connection is closed. */
  | 'closed';
type MessageType = ControlMessage['type'];

/** A message about the call. */
export type CallMessage = MessageOf<'OutgoingCallRequest' | 'CallClearRequest' | 'SetLinkInfo'>;

export type ControlEvent =
  | { readonly type: 'call'; readonly message: CallMessage }
  | Exclude<KeepaliveEvent, { readonly type: 'ended' }>
  /** The client or the network has ended the session: `close` is due. The last event, and emitted at most once. */
  | { readonly type: 'ended'; readonly end: SessionEnd };

/** The part of a TCP socket (net.Socket) that is used. */
export type ClientSocket = Duplex & { setNoDelay(noDelay?: boolean): unknown };

export interface ControlOptions {
  readonly socket: ClientSocket;
  readonly timeouts: { readonly echoInterval: number; readonly echoReply: number };
  readonly timers: Timers;
  readonly log: PeerLog;
  readonly onEvent: (event: ControlEvent) => void;
  readonly hostName: string;
  readonly firmwareRevision: number;
}

export class ControlConnection {
  readonly #options: ControlOptions;
  readonly #framer = new Framer();
  /** What was logged by #warnOnce. */
  readonly #warned = new Set<string>();
  readonly #keepalive: Keepalive;
  readonly #socketClosed: Promise<void>;
  #state: State = 'awaitStart';
  #tap: Tap | null = null;

  constructor(options: ControlOptions) {
    this.#options = options;
    const { socket, timers, timeouts } = options;
    this.#keepalive = new Keepalive({
      timeouts,
      timers,
      sendEchoRequest: (identifier) => this.send({ type: 'EchoRequest', identifier }),
      readsNothing: () => socket.isPaused(),
      onEvent: (event) => this.#recvKeepaliveEvent(event),
    });
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.recvBytes(chunk));
    socket.on('drain', () => socket.resume());
    socket.on('end', () => this.#lost({ reason: 'clientClosed' }));
    socket.on('error', (error) => this.#lost(this.#keepalive.connectionFailed(error.message)));
    this.#socketClosed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#lost({ reason: 'clientClosed' });
        timers.stop('stopReply');
        resolve();
      });
    });
  }

  /** Receives bytes from the client, first those that the manager has read. */
  recvBytes(chunk: Buffer): void {
    this.#tap?.('controlFromClient', chunk);
    if (this.#isOver()) return;
    this.#framer.push(chunk);
    let isWhole = false;
    for (const item of this.#framer) {
      isWhole = true;
      this.#recvItem(item);
      if (this.#isOver()) return;
    }
    if (isWhole && this.#state === 'established') this.#keepalive.recvMessage();
  }

  /** Passes the bytes of both directions to `tap`, those from the client as TCP has cut them; null removes the tap. */
  setTap(tap: Tap | null): void {
    this.#tap = tap;
  }

  send(message: ControlMessage): void {
    const { socket, log } = this.#options;
    if (!socket.writable) return;
    log.write(levelOf(message), { message: message.type }, () => `sent ${describe(message)}`);
    const bytes = encode(message);
    this.#tap?.('controlToClient', bytes);
    socket.write(bytes);
    if (socket.writableLength > MAX_UNSENT) socket.pause();
  }

  /** Asks a client that may have called again elsewhere whether it is still there: see Keepalive. */
  askForSignOfLife(): void {
    if (this.#state === 'established') this.#keepalive.ask();
  }

  /**
   * Ends the connection in order: sends the stop request that the reason asks for, and waits a short time for the reply.
   * Resolves when the socket has closed. Idempotent; the first reason counts.
   */
  async close(reason: CloseReason): Promise<void> {
    this.#keepalive.stop();
    switch (this.#state) {
      case 'established':
      case 'silent':
        this.#sendStopRequest(CLOSE_REASONS[reason].stop);
        break;
      case 'stopRequested':
        this.#sendStopReply();
        this.#finish();
        break;
      case 'awaitStart':
      case 'lost':
        this.#finish();
        break;
      case 'awaitStopReply':
      case 'closed':
    }
    // A socket that closed before this object was made emits no event any more.
    if (!this.#options.socket.closed) await this.#socketClosed;
  }

  #isOver(): boolean {
    return this.#state === 'lost' || this.#state === 'closed';
  }

  #recvItem(item: FramerItem): void {
    if (item.ok) this.#recv(item.message, item.surplus ?? 0);
    // Synchronization is lost (RFC 2637 §1.4).
    else if (item.error.fatal) this.#lost({ reason: 'protocolError', problem: item.error.detail });
    else this.#warnOnce(item.error.detail, `${item.error.detail}: ignored`);
  }

  /** `stop`: null if the reason asks for no stop request. */
  #sendStopRequest(stop: (typeof CLOSE_REASONS)[CloseReason]['stop']): void {
    if (stop === null || !this.#options.socket.writable) {
      this.#finish();
      return;
    }
    this.#state = 'awaitStopReply';
    this.send({ type: 'StopControlConnectionRequest', reason: stop });
    this.#options.timers.start('stopReply', STOP_REPLY_SECONDS, () => this.#finish());
  }

  #finish(): void {
    const { socket, timers } = this.#options;
    timers.stop('stopReply');
    this.#state = 'closed';
    if (socket.destroyed) return;
    // What was written is still sent, unless the client does not take it in time.
    socket.end(() => socket.destroy());
    timers.start('stopReply', STOP_REPLY_SECONDS, () => socket.destroy());
  }

  #lost(end: SessionEnd): void {
    switch (this.#state) {
      case 'awaitStart':
      case 'established':
        this.#end('lost', end);
        break;
      case 'silent':
        this.#state = 'lost';
        break;
      case 'awaitStopReply':
        this.#finish();
        break;
      case 'stopRequested':
      case 'lost':
      case 'closed':
    }
  }

  /** From 'awaitStart' or 'established'; the other states come after it. */
  #end(state: 'stopRequested' | 'silent' | 'lost', end: SessionEnd): void {
    this.#state = state;
    this.#keepalive.stop();
    this.#options.onEvent({ type: 'ended', end });
  }

  #recvKeepaliveEvent(event: KeepaliveEvent): void {
    if (event.type === 'ended') this.#end('silent', event.end);
    else this.#options.onEvent(event);
  }

  #recv(message: ControlMessage, surplus: number): void {
    const { log } = this.#options;
    log.write(levelOf(message), { message: message.type }, () => `received ${describe(message)}`);
    if (surplus > 0) {
      log.write(
        'debug',
        { surplus },
        () => `${message.type} is ${surplus} octets longer than RFC 2637 says; they are ignored`,
      );
    }
    const handler = this.#expected[this.#state][message.type] as ((message: ControlMessage) => void) | undefined;
    if (handler !== undefined) handler(message);
    else if (this.#state === 'awaitStart')
      this.#lost({ reason: 'protocolError', problem: `${message.type} before the start` });
    else this.#warnOnce(message.type, `${message.type}: not expected in state ${this.#state}; ignored`);
  }

  /** Logs a warning once for each `what`, so that a client cannot fill the log. */
  #warnOnce(what: string, text: string): void {
    if (this.#warned.has(what) || this.#warned.size >= MAX_WARNINGS) return;
    this.#warned.add(what);
    this.#options.log.write('warn', { what }, () => `${text} (logged once)`);
  }

  /**
   * The state table of RFC 2637 §3.1.3 for the side that was called. A message that is not in it is ignored, but in
   * 'awaitStart' it ends the connection.
   */
  readonly #expected: {
    readonly [S in State]: { readonly [T in MessageType]?: (message: MessageOf<T>) => void };
  } = {
    awaitStart: {
      StartControlConnectionRequest: (request) => {
        if (request.protocolVersion !== PROTOCOL_VERSION) {
          this.#sendStartReply(RESULT.StartControlConnectionReply.versionNotSupported);
          this.#lost({ reason: 'versionRefused', version: request.protocolVersion });
          return;
        }
        this.#state = 'established';
        this.#sendStartReply(RESULT.StartControlConnectionReply.established);
      },
    },
    established: {
      StartControlConnectionRequest: () => this.#sendStartReply(RESULT.StartControlConnectionReply.alreadyExists),
      StopControlConnectionRequest: () => this.#end('stopRequested', { reason: 'clientStopped' }),
      EchoRequest: ({ identifier }) => this.#sendEchoReply(identifier),
      // Any message is a sign of life: see recvBytes.
      EchoReply: () => undefined,
      OutgoingCallRequest: (message) => this.#options.onEvent({ type: 'call', message }),
      IncomingCallRequest: ({ callId }) =>
        // This server is not a PNS (RFC 2637 §2.10: do not accept).
        this.send({
          type: 'IncomingCallReply',
          callId: 0,
          peerCallId: callId,
          resultCode: RESULT.IncomingCallReply.doNotAccept,
          errorCode: 0,
          receiveWindowSize: 0,
          packetTransmitDelay: 0,
        }),
      CallClearRequest: (message) => this.#options.onEvent({ type: 'call', message }),
      SetLinkInfo: (message) => this.#options.onEvent({ type: 'call', message }),
      WanErrorNotify: (notice) => this.#warnOnce(notice.type, `${describe(notice)}: ignored`),
    },
    stopRequested: {},
    silent: {},
    lost: {},
    awaitStopReply: {
      EchoRequest: ({ identifier }) => this.#sendEchoReply(identifier),
      // These crossed our stop request on the way: a client whose login fails often hangs up at the same moment.
      EchoReply: () => undefined,
      OutgoingCallRequest: () => undefined,
      CallClearRequest: () => undefined,
      SetLinkInfo: () => undefined,
      WanErrorNotify: () => undefined,
      StopControlConnectionReply: () => this.#finish(),
      StopControlConnectionRequest: () => {
        this.#sendStopReply();
        this.#finish();
      },
    },
    closed: {},
  };

  #sendStartReply(resultCode: number): void {
    this.send({
      type: 'StartControlConnectionReply',
      protocolVersion: PROTOCOL_VERSION,
      resultCode,
      errorCode: 0,
      ...CAPABILITIES,
      maximumChannels: 1,
      firmwareRevision: this.#options.firmwareRevision,
      hostName: this.#options.hostName,
      vendorName: 'pptpd-ts',
    });
  }

  #sendStopReply(): void {
    this.send({
      type: 'StopControlConnectionReply',
      resultCode: RESULT.StopControlConnectionReply.closed,
      errorCode: 0,
    });
  }

  #sendEchoReply(identifier: number): void {
    this.send({ type: 'EchoReply', identifier, resultCode: RESULT.EchoReply.valid, errorCode: 0 });
  }
}
