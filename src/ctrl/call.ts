/**
 * One call: pppd on its pty and the relay between pty and GRE, born and ended together. A call is `starting` until
 * pppd has sent its first PPP frame: only then is the client told that it stands.
 */
import type { Configuration } from '../config/schema.js';
import { type Direction, Relay, type RelayCounters } from '../gre/relay.js';
import type { ProcessIdentity } from '../host/process.js';
import type { Logger } from '../log/logger.js';
import { type PppEvent, PppReader, type PppState } from '../ppp/reader.js';
import type { MessageOf } from '../pptp/index.js';
import type { Captured, Tap } from '../session/captures.js';
import type { CloseReason } from '../session/close-reason.js';
import type { Lease } from '../session/lease.js';
import type { Line } from './line.js';
import type { Pppd } from './pppd.js';
import { pppdArguments } from './pppd-command.js';
import type { Timers } from './timers.js';

/** What pppd prints before its first frame is its error message; more than this of it is not kept. */
const MAX_WORDS = 2000;
/** A frame of pppd's option `sync` begins so: address and control field, and no flag (RFC 1662 §3.1). */
const BARE_FRAME = '\u00ff\u0003';
/** pppd's scripts may hold the pty when it has ended: what they have to say is not waited for any longer. */
const LAST_WORDS_SECONDS = 0.5;
/**
 * A pppd that has ended the link ends as well, 6 s later at most unless its lcp-restart or lcp-max-terminate says otherwise.
 * With the option `persist` it stays, and asks for a new link without end.
 */
const LINK_END_SECONDS = 30;

const CAPTURED_PPP = { fromClient: 'pppFromClient', toClient: 'pppToClient' } as const satisfies Record<
  Direction,
  Captured
>;

export interface CallHandlers {
  /** pppd runs: its first frame is on its way to the client. */
  started(): void;
  /** A step of the PPP negotiation. */
  ppp(event: PppEvent): void;
  /** Long frames to the client get lost, those of up to `arrives` octets do not; at most once. */
  blackHole(arrives: number, missing: number): void;
  /** The call has failed or ended by itself; once at most, and not after `close`. */
  ended(reason: CallEnd, detail: string): void;
}

type CallEnd = Extract<CloseReason, 'pppdFailed' | 'pppdExited' | 'linkEnded' | 'relayFailed'>;

/** How pppd has ended by itself. */
export interface PppdEnd {
  readonly code: number;
  /** 0: none. */
  readonly signal: number;
  /** What it printed before its first frame, line by line, without its own name in front. */
  readonly words: readonly string[];
}

export interface CallOptions {
  /** The call's alone from now on. */
  readonly line: Line;
  readonly configuration: Configuration;
  readonly lease: Lease;
  readonly peerAddress: string;
  readonly localAddress: string;
  readonly request: MessageOf<'OutgoingCallRequest'>;
  readonly timers: Timers;
  readonly log: Logger;
  readonly handlers: CallHandlers;
}

export class Call {
  readonly #options: CallOptions;
  readonly #pppd: Pppd;
  /** null until `open`, and when it could not be opened. */
  #relay: Relay | null = null;
  #tap: Tap | null = null;
  readonly #reader = new PppReader();
  /** Resolves, with pppd's exit in words, when pppd was reaped and the relay has had all that it left in the pty. */
  readonly #over: Promise<string>;
  #relayEnded: () => void = () => undefined;
  #words = '';
  #pppdEnd: PppdEnd | null = null;
  #isSynchronous = false;
  #started = false;
  #closing = false;

  /** Starts pppd. Throws the sentence for the log when it cannot be; the line is still the caller's then. */
  constructor(options: CallOptions) {
    this.#options = options;
    const { line, configuration, lease, peerAddress } = options;
    const { pppd } = configuration;
    this.#pppd = line.pppd;
    this.#pppd.start(pppd.path, pppdArguments(pppd, lease, peerAddress));
    this.#over = this.#awaitOver();
    void this.#over.then((text) => this.#end(this.#started ? 'pppdExited' : 'pppdFailed', text));
  }

  /** Opens the relay; once. Where it cannot be, the call has failed, and pppd is waited for as ever. */
  open(): void {
    const { line, configuration, lease, peerAddress, localAddress, request } = this.#options;
    try {
      this.#relay = new Relay({
        localAddress,
        peerAddress,
        localCallId: lease.callId,
        peerCallId: request.callId,
        peerWindow: request.receiveWindowSize,
        window: configuration.gre.window,
        ptyFd: this.#pppd.fd,
        memory: line.memory,
        ...(configuration.listen.vrf === undefined ? {} : { device: configuration.listen.vrf }),
        events: {
          text: (chunk) => this.#recvWords(chunk),
          control: (direction, frame) => this.#recvControlFrame(direction, frame),
          blackHole: (arrives, missing) => this.#options.handlers.blackHole(arrives, missing),
          end: (reason, detail) => {
            this.#relayEnded();
            // A closed pty is pppd's end, whose exit code says more.
            if (reason === 'socketFailed') this.#end('relayFailed', detail);
          },
        },
      });
      this.setTap(this.#tap);
    } catch (error) {
      this.#relayEnded();
      this.#end('relayFailed', error instanceof Error ? error.message : String(error));
    }
  }

  get pppdPid(): number {
    return this.#pppd.pid;
  }

  /** null where it could not be identified, since it had ended already. */
  get pppd(): ProcessIdentity | null {
    return this.#pppd.identity;
  }

  get peerCallId(): number {
    return this.#options.request.callId;
  }

  /** null: it has not ended. */
  get pppdEnd(): PppdEnd | null {
    return this.#pppdEnd;
  }

  /** pppd sends its frames as they are, which nobody can tell apart on a pty. */
  get isSynchronous(): boolean {
    return this.#isSynchronous;
  }

  get ppp(): PppState {
    return this.#reader.state;
  }

  /** How many frames have come from the client that carry network packets, encrypted or not. */
  get dataFrames(): number {
    return (this.#relay?.counters().rxPackets ?? 0) - this.#reader.state.frames.fromClient;
  }

  /** null while there is no relay. */
  counters(): RelayCounters | null {
    return this.#relay?.counters() ?? null;
  }

  /** The send ACCM of a Set-Link-Info (RFC 2637 §2.15). */
  setSendAccm(accm: number): void {
    this.#relay?.setSendAccm(accm);
  }

  /** Has every PPP frame shown to `tap`; null ends it. */
  setTap(tap: Tap | null): void {
    this.#tap = tap;
    this.#relay?.setTap(tap === null ? null : (direction, frame) => tap(CAPTURED_PPP[direction], frame));
  }

  /**
   * Ends relay and pppd; resolves when pppd was reaped. Idempotent. pppd takes leave of the client first, for some
   * seconds where it does not answer; with `clientGone` the line is hung up at once instead.
   */
  async close({ clientGone }: { readonly clientGone: boolean }): Promise<void> {
    this.#closing = true;
    this.#options.timers.stop('linkEnd');
    if (clientGone) {
      this.#relay?.close();
      this.#relayEnded();
      this.#pppd.hangUp();
    }
    await this.#pppd.end(this.#options.configuration.timeouts.pppdExit);
    await this.#over;
    this.#relay?.close();
  }

  async #awaitOver(): Promise<string> {
    const { timers, configuration } = this.#options;
    const drained = new Promise<void>((resolve) => (this.#relayEnded = resolve));
    const { code, signal, text } = await this.#pppd.exited();
    timers.stop('linkEnd');
    timers.start('lastWords', LAST_WORDS_SECONDS, this.#relayEnded);
    await drained;
    timers.stop('lastWords');
    const name = `${configuration.pppd.path}: `;
    const lines = this.#words.split(/[\r\n]+/).map((line) => line.trim());
    const words = lines.map((line) => (line.startsWith(name) ? line.slice(name.length) : line));
    this.#pppdEnd = { code, signal, words };
    return text;
  }

  #recvWords(chunk: string): void {
    if (this.#isSynchronous) return;
    if (chunk.startsWith(BARE_FRAME)) {
      this.#isSynchronous = true;
      this.#end('pppdFailed', 'it sends PPP frames without HDLC');
    } else if (this.#words.length < MAX_WORDS) {
      this.#words += chunk;
    }
  }

  #recvControlFrame(direction: 'fromClient' | 'toClient', frame: Uint8Array): void {
    if (!this.#started && direction === 'toClient') {
      this.#started = true;
      this.#options.handlers.started();
    }
    for (const event of this.#reader.observe(direction, frame, Date.now())) {
      // What pppd has said it wants escaped; a later Set-Link-Info of the client overrides it.
      if (event.type === 'linkOpened') this.#relay?.setSendAccm(event.accm.fromClient);
      this.#watchLinkEnd(event);
      this.#options.handlers.ppp(event);
    }
  }

  #watchLinkEnd({ type }: PppEvent): void {
    const { timers } = this.#options;
    if (type === 'linkOpened') timers.stop('linkEnd');
    if (type !== 'terminated') return;
    timers.start('linkEnd', LINK_END_SECONDS, () =>
      this.#end('linkEnded', `no other came up within ${LINK_END_SECONDS} s`),
    );
  }

  #end(reason: CallEnd, text: string): void {
    this.#options.timers.stop('linkEnd');
    if (this.#closing) return;
    this.#closing = true;
    const words = this.#words.replaceAll(/\s+/g, ' ').trim();
    this.#options.handlers.ended(reason, words === '' ? text : `${text}; it said: ${words}`);
  }
}
