/**
 * The control connection of one client, on the server's side of RFC 2637 §3.1.3: messages in and out, which of them
 * are expected in which state, keepalive, and the end in order. What calls are is its owner's to know.
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
import type { PeerLog } from './peer-log.js';
import type { SessionEnd } from './session-end.js';
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

type State =
  | 'awaitStart'
  | 'established'
  /** By the client: its reply goes out behind the call's end. */
  | 'stopRequested'
  | 'awaitStopReply'
  | 'closed';
type MessageType = ControlMessage['type'];

/** A message about the call. */
export type CallMessage = MessageOf<'OutgoingCallRequest' | 'CallClearRequest' | 'SetLinkInfo'>;

export type ControlEvent =
  | { readonly type: 'call'; readonly message: CallMessage }
  /** The client has sent nothing for `timeouts.echoInterval`, and is asked whether it is there. */
  | { readonly type: 'silent' }
  /** Asked by `askForSignOfLife`, the client has shown that it is there. */
  | { readonly type: 'signOfLife' }
  /** The client or the network has ended the session; once. */
  | { readonly type: 'ended'; readonly end: SessionEnd };

/** What is used of a TCP socket (net.Socket). */
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
  readonly #ignoredTypes = new Set<string>();
  #state: State = 'awaitStart';
  #echoIdentifier = 0;
  /** The client was asked for a sign of life, and has given none. */
  #isProbed = false;
  #onClosed: (() => void) | undefined;
  #tap: Tap | null = null;

  constructor(options: ControlOptions) {
    this.#options = options;
    const { socket } = options;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.recvBytes(chunk));
    socket.on('drain', () => socket.resume());
    socket.on('end', () => this.#lost({ reason: 'clientClosed' }));
    socket.on('error', (error) => this.#lost({ reason: 'connectionFailed', problem: error.message }));
    socket.on('close', () => {
      this.#lost({ reason: 'clientClosed' });
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
   * Asks a client that has called again elsewhere whether it is still there. Any message of it within SIGN_OF_LIFE_SECONDS
   * shows that, and is told as `signOfLife`; else the session has to end.
   */
  askForSignOfLife(): void {
    const { timers, onEvent } = this.#options;
    this.#isProbed = true;
    this.#sendEchoRequest();
    const end: SessionEnd = { reason: 'calledAgain', silence: 'noEchoReply', seconds: SIGN_OF_LIFE_SECONDS };
    timers.start('signOfLife', SIGN_OF_LIFE_SECONDS, () => onEvent({ type: 'ended', end }));
  }

  /**
   * Ends the connection in order: the stop request that the reason asks for and a short wait for its reply. Resolves
   * when the socket has closed.
   */
  async close(reason: CloseReason): Promise<void> {
    const { socket, timers } = this.#options;
    const stop = CLOSE_REASONS[reason].stop;
    if (this.#state === 'stopRequested') this.#sendStopReply();
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
    if (item.ok) this.#recv(item.message, item.surplus ?? 0);
    // RFC 2637 §1.4: synchronisation is lost, and never searched again.
    else if (item.error.fatal) this.#lost({ reason: 'protocolError', problem: item.error.detail });
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

  #lost(end: SessionEnd): void {
    // After the client's stop request the owner has been told already.
    if (this.#state === 'closed' || this.#state === 'stopRequested') return;
    const known = this.#state === 'awaitStopReply';
    this.#state = 'closed';
    if (known) this.#finish();
    // Asked whether it is still there, a machine that was restarted answers that it knows of no such connection.
    else if (end.reason === 'connectionFailed' && this.#isProbed)
      this.#options.onEvent({
        type: 'ended',
        end: { reason: 'calledAgain', silence: 'connectionFailed', problem: end.problem },
      });
    else this.#options.onEvent({ type: 'ended', end });
  }

  #recv(message: ControlMessage, surplus: number): void {
    const { log } = this.#options;
    log.write(levelOf(message), { message: message.type }, () => `received ${describe(message)}`);
    if (surplus > 0) {
      log.write(
        'debug',
        { surplus },
        () => `${message.type} is ${surplus} octets longer than in RFC 2637: these are ignored`,
      );
    }
    const handler = this.#expected[this.#state][message.type] as ((message: ControlMessage) => void) | undefined;
    if (handler !== undefined) handler(message);
    else if (this.#state === 'awaitStart')
      this.#lost({ reason: 'protocolError', problem: `${message.type} before the start` });
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
          this.#lost({ reason: 'versionRefused', version: request.protocolVersion });
          return;
        }
        this.#state = 'established';
        this.#sendStartReply(RESULT.StartControlConnectionReply.established);
      },
    },
    established: {
      StartControlConnectionRequest: () => this.#sendStartReply(RESULT.StartControlConnectionReply.alreadyExists),
      StopControlConnectionRequest: () => {
        this.#state = 'stopRequested';
        this.#options.onEvent({ type: 'ended', end: { reason: 'clientStopped' } });
      },
      EchoRequest: ({ identifier }) => this.#sendEchoReply(identifier),
      // As good as any other message: see #recvSignOfLife.
      EchoReply: () => undefined,
      OutgoingCallRequest: (message) => this.#options.onEvent({ type: 'call', message }),
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
      CallClearRequest: (message) => this.#options.onEvent({ type: 'call', message }),
      SetLinkInfo: (message) => this.#options.onEvent({ type: 'call', message }),
      WanErrorNotify: (notice) => this.#ignore('WanErrorNotify', describe(notice)),
    },
    stopRequested: {},
    awaitStopReply: {
      EchoRequest: ({ identifier }) => this.#sendEchoReply(identifier),
      // What crossed our stop on the way: a client whose login fails hangs up at the same time as we do.
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
    const { socket, timers, timeouts, onEvent } = this.#options;
    timers.stop('signOfLife');
    if (this.#isProbed) onEvent({ type: 'signOfLife' });
    this.#isProbed = false;
    timers.stop('echoReply');
    timers.start('echoInterval', timeouts.echoInterval, () => {
      this.#sendEchoRequest();
      onEvent({ type: 'silent' });
      timers.start('echoReply', timeouts.echoReply, () =>
        onEvent({
          type: 'ended',
          end: socket.isPaused()
            ? { reason: 'clientSilent', silence: 'readsNothing' }
            : { reason: 'clientSilent', silence: 'noEchoReply', seconds: timeouts.echoReply },
        }),
      );
    });
  }
}
