/**
 * The control connection of one client, on the server's side of RFC 2637 §3.1.3: messages in and out, which of them
 * are expected in which state, keepalive, and the end in order. What calls are is its owner's to know.
 */
import type { Socket } from 'node:net';
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
import type { PeerLog } from './peer-log.js';
import type { Timers } from './timers.js';

/** How long a client may take to answer our Stop-Control-Connection-Request; RFC 2637 leaves it open, clients just close. */
const STOP_REPLY_SECONDS = 2;

/**
 * How long a client that may have gone has to show itself. One that is there takes a round trip; a second lost packet is
 * retransmitted by TCP within it, on a path of half a second too. Until then what the tunnel sends may disturb its next session.
 */
const SIGN_OF_LIFE_SECONDS = 3;

/**
 * A client that sends without reading what it gets for it is not read either while more than these octets wait for it: its
 * own TCP stops it then, and its silence ends it.
 */
const MOST_UNSENT = 64 * 1024;

/** Framing and bearer capabilities: both kinds of each (RFC 2637 §2.2). */
const CAPABILITIES = { framingCapabilities: 3, bearerCapabilities: 3 } as const;

/** Keepalive is routine; every other message is worth a line in everyone's log. */
const levelOf = ({ type }: ControlMessage): 'debug' | 'info' =>
  type === 'EchoRequest' || type === 'EchoReply' ? 'debug' : 'info';

type State = 'awaitStart' | 'established' | 'awaitStopReply' | 'closed';
type MessageType = ControlMessage['type'];

/** What the owner does for the messages that concern a call, and when the connection is over. */
export interface ControlHandlers {
  outgoingCallRequest(request: MessageOf<'OutgoingCallRequest'>): void;
  callClearRequest(request: MessageOf<'CallClearRequest'>): void;
  setLinkInfo(info: MessageOf<'SetLinkInfo'>): void;
  /** The client or the network wants the session to end. */
  ended(reason: CloseReason, detail?: string): void;
}

export interface ControlOptions {
  readonly socket: Socket;
  readonly timeouts: { readonly echoInterval: number; readonly echoReply: number };
  readonly timers: Timers;
  readonly log: PeerLog;
  readonly handlers: ControlHandlers;
  readonly hostName: string;
  readonly firmwareRevision: number;
}

export class ControlConnection {
  readonly #options: ControlOptions;
  readonly #framer = new Framer();
  readonly #ignoredTypes = new Set<string>();
  #state: State = 'awaitStart';
  #echoIdentifier = 0;
  /** The client was asked for a sign of life, and this is to be called for it. */
  #onSignOfLife: (() => void) | null = null;
  /** The client has asked for the stop: its reply goes out behind the call's end. */
  #owesStopReply = false;
  #onClosed: (() => void) | undefined;
  #tap: Tap | null = null;

  constructor(options: ControlOptions) {
    this.#options = options;
    const { socket } = options;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.recvBytes(chunk));
    socket.on('drain', () => socket.resume());
    socket.on('end', () => this.#lost('clientClosed'));
    socket.on('error', (error) => this.#lost('connectionFailed', error.message));
    socket.on('close', () => {
      this.#lost('clientClosed');
      this.#onClosed?.();
    });
  }

  /** Bytes from the client, also those that the manager had read. */
  recvBytes(chunk: Buffer): void {
    this.#tap?.('controlFromClient', chunk);
    if (this.#state === 'closed') return;
    this.#framer.push(chunk);
    let isWhole = false;
    for (const item of this.#framer) {
      isWhole = true;
      this.#recvItem(item);
      if (this.#isOver()) return;
    }
    if (isWhole) this.#recvSignOfLife();
  }

  /** Has the bytes of both ways shown to `tap`, from the client as TCP has cut them; null ends it. */
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
    if (socket.writableLength > MOST_UNSENT) socket.pause();
  }

  /**
   * Asks a client that has called again elsewhere whether it is still there: `shown` is called when any message of it comes
   * within SIGN_OF_LIFE_SECONDS; else the session has to end.
   */
  askForSignOfLife(shown: () => void): void {
    this.#onSignOfLife = shown;
    this.#sendEchoRequest();
    this.#options.timers.start('signOfLife', SIGN_OF_LIFE_SECONDS, () =>
      this.#options.handlers.ended('calledAgain', `no Echo-Reply within ${SIGN_OF_LIFE_SECONDS} s`),
    );
  }

  /**
   * Ends the connection in order: the stop request that the reason asks for and a short wait for its reply. Resolves
   * when the socket has closed.
   */
  async close(reason: CloseReason): Promise<void> {
    const { socket, timers } = this.#options;
    const stop = CLOSE_REASONS[reason].stop;
    if (this.#owesStopReply) this.#sendStopReply();
    timers.stop('echoInterval');
    timers.stop('echoReply');
    timers.stop('signOfLife');
    if (!socket.destroyed && socket.writable && stop !== null && this.#state === 'established') {
      this.#state = 'awaitStopReply';
      this.send({ type: 'StopControlConnectionRequest', reason: stop });
      timers.start('stopReply', STOP_REPLY_SECONDS, () => this.#finish());
    } else {
      this.#finish();
    }
    if (socket.closed) return;
    await new Promise<void>((resolve) => (this.#onClosed = resolve));
  }

  #isOver(): boolean {
    return this.#state === 'closed';
  }

  #recvItem(item: FramerItem): void {
    if (item.ok) this.#recv(item.message);
    // RFC 2637 §1.4: synchronisation is lost, and never searched again.
    else if (item.error.fatal) this.#lost('protocolError', item.error.detail);
    else this.#ignore(item.error.detail, 'ignored');
  }

  #finish(): void {
    const { socket, timers } = this.#options;
    timers.stop('stopReply');
    this.#state = 'closed';
    if (socket.destroyed) return;
    // What was written is sent; a client that does not take it is not waited for.
    socket.end(() => socket.destroy());
    timers.start('stopReply', STOP_REPLY_SECONDS, () => socket.destroy());
  }

  #lost(reason: CloseReason, detail?: string): void {
    if (this.#state === 'closed') return;
    const known = this.#state === 'awaitStopReply';
    this.#state = 'closed';
    if (known) this.#finish();
    // Asked whether it is still there, a machine that was restarted answers that it knows of no such connection.
    else if (reason === 'connectionFailed' && this.#onSignOfLife !== null)
      this.#options.handlers.ended('calledAgain', detail);
    else this.#options.handlers.ended(reason, detail);
  }

  #recv(message: ControlMessage): void {
    this.#options.log.write(levelOf(message), { message: message.type }, () => `received ${describe(message)}`);
    const handler = this.#expected[this.#state][message.type] as ((message: ControlMessage) => void) | undefined;
    if (handler !== undefined) handler(message);
    else if (this.#state === 'awaitStart') this.#lost('protocolError', `${message.type} before the start`);
    else this.#ignore(message.type, `not expected while ${this.#state}; ignored`);
  }

  /** Once a kind, so that a client cannot fill the log. */
  #ignore(what: string, how: string): void {
    if (this.#ignoredTypes.has(what) || this.#ignoredTypes.size >= 32) return;
    this.#ignoredTypes.add(what);
    this.#options.log.write('warn', { what }, () => `${what}: ${how} (said once)`);
  }

  /** The state table of RFC 2637 §3.1.3 for the side that was called; a message that is not in it is ignored. */
  readonly #expected: {
    readonly [S in State]: { readonly [T in MessageType]?: (message: MessageOf<T>) => void };
  } = {
    awaitStart: {
      StartControlConnectionRequest: (request) => {
        if (request.protocolVersion !== PROTOCOL_VERSION) {
          this.#sendStartReply(RESULT.StartControlConnectionReply.versionNotSupported);
          this.#lost('versionRefused', `version 0x${request.protocolVersion.toString(16)}`);
          return;
        }
        this.#state = 'established';
        this.#sendStartReply(RESULT.StartControlConnectionReply.established);
      },
    },
    established: {
      StartControlConnectionRequest: () => this.#sendStartReply(RESULT.StartControlConnectionReply.alreadyExists),
      StopControlConnectionRequest: () => {
        this.#owesStopReply = true;
        this.#options.handlers.ended('clientStopped');
      },
      EchoRequest: ({ identifier }) => this.#sendEchoReply(identifier),
      // As good as any other message: see #recvSignOfLife.
      EchoReply: () => undefined,
      OutgoingCallRequest: (request) => this.#options.handlers.outgoingCallRequest(request),
      IncomingCallRequest: ({ callId }) =>
        // A server is no PNS (RFC 2637 §2.10: do not accept).
        this.send({
          type: 'IncomingCallReply',
          callId: 0,
          peerCallId: callId,
          resultCode: RESULT.IncomingCallReply.doNotAccept,
          errorCode: 0,
          receiveWindowSize: 0,
          packetTransmitDelay: 0,
        }),
      CallClearRequest: (request) => this.#options.handlers.callClearRequest(request),
      SetLinkInfo: (info) => this.#options.handlers.setLinkInfo(info),
      WanErrorNotify: (notice) => this.#ignore('WanErrorNotify', describe(notice)),
    },
    awaitStopReply: {
      EchoRequest: ({ identifier }) => this.#sendEchoReply(identifier),
      // It crossed our stop on the way.
      EchoReply: () => undefined,
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

  #sendEchoRequest(): void {
    this.#echoIdentifier = (this.#echoIdentifier + 1) >>> 0;
    this.send({ type: 'EchoRequest', identifier: this.#echoIdentifier });
  }

  /**
   * Any whole message shows that the client is there. RFC 2637 §3.1.4 asks for no more before the question; after it, where
   * the RFC wants the reply itself, a client that talks is not taken for dead either.
   */
  #recvSignOfLife(): void {
    if (this.#state !== 'established') return;
    const { socket, timers, timeouts, handlers } = this.#options;
    timers.stop('signOfLife');
    this.#onSignOfLife?.();
    this.#onSignOfLife = null;
    timers.stop('echoReply');
    timers.start('echoInterval', timeouts.echoInterval, () => {
      this.#sendEchoRequest();
      timers.start('echoReply', timeouts.echoReply, () =>
        handlers.ended(
          'clientSilent',
          socket.isPaused() ? 'it takes nothing of what is sent to it' : `no Echo-Reply within ${timeouts.echoReply} s`,
        ),
      );
    });
  }
}
