/**
 * A link that uses the system's pppd: pppd on a pty, and the relay between pty and GRE. It is ready when pppd has sent
 * its first PPP frame.
 */
import type { PacketBuffers } from '../../gre/packet-buffers.js';
import { type FrameTap, Relay, type RelayEvent, type RelayFailure } from '../../gre/relay.js';
import type { ProcessIdentity } from '../../host/process.js';
import { interfaceOfPppd } from '../../host/ppp-interface.js';
import { type PppEvent, PppReader, type PppState } from '../../ppp/reader.js';
import { messageOf } from '../../sys/thrown.js';
import type { EndCause } from '../end-cause.js';
import { greCause } from '../gre-cause.js';
import type { Link, LinkClose, LinkCounters, LinkOptions } from '../link.js';
import { pppdArguments } from './command.js';
import { complaintIn } from './complaints.js';
import { ACCM_ALL } from './hdlc.js';
import { type PppdExit, type PppdProcess } from './pppd-process.js';
import type { PtyPort } from './pty-port.js';

/** How much of pppd's output before its first frame is kept, characters. */
const MAX_WORDS = 2000;
/** How a frame without HDLC begins: address and control field, and no flag (RFC 1662 §3.1). */
const BARE_FRAME = '\u00ff\u0003';
/** How long to wait for the last output after pppd has exited, ms: its scripts may keep the pty open. */
const LAST_WORDS_MS = 500;

/**
 * Time for pppd to exit after it has ended the link or closed the pty. It needs 6 s unless lcp-restart, lcp-max-terminate
 * or child-timeout says otherwise. With the option `persist` it stays, and asks for a new link without end.
 */
const EXIT_SECONDS = 30;

type State =
  | 'new'
  /** pppd was started and has sent no frame yet. */
  | 'starting'
  | 'ready'
  /** The end was reported, or the link was closed. */
  | 'ended';

/** What a standby has made. */
export interface PtyLinkParts {
  readonly pppd: Pick<PppdProcess, 'fd' | 'identity' | 'pid' | 'start' | 'exited' | 'hangUp' | 'end'>;
  readonly buffers: PacketBuffers;
  readonly port: PtyPort;
}

export class PtyLink implements Link {
  readonly kind = 'pppd';
  /** pppd knows no accounts but those of its secrets files. */
  readonly limits = null;
  readonly #options: LinkOptions;
  readonly #pppd: PtyLinkParts['pppd'];
  readonly #buffers: PacketBuffers;
  readonly #port: PtyPort;
  readonly #reader = new PppReader();
  /** Octets to escape on the pty: those that pppd negotiated, and those that the client's Set-Link-Info adds. */
  readonly #accm = { negotiated: ACCM_ALL, added: 0 };
  #state: State = 'new';
  /** null before `start`, and when the relay could not be opened. */
  #relay: Relay | null = null;
  #tap: FrameTap | null = null;
  #words = '';
  #exitTimer: NodeJS.Timeout | undefined;
  /** Resolves when pppd was reaped and the relay has read everything that pppd left in the pty. */
  readonly #over: Promise<PppdExit>;
  #drained: () => void = () => undefined;

  constructor(options: LinkOptions, { pppd, buffers, port }: PtyLinkParts) {
    this.#options = options;
    this.#pppd = pppd;
    this.#buffers = buffers;
    this.#port = port;
    this.#over = this.#awaitOver();
  }

  get process(): ProcessIdentity | null {
    return this.#pppd.identity;
  }

  get ppp(): PppState {
    return this.#reader.state;
  }

  start(): void {
    const { configuration, tunnel, peerAddress } = this.#options;
    const { path } = configuration.pppd;
    this.#state = 'starting';
    try {
      this.#pppd.start(path, pppdArguments(configuration, tunnel, peerAddress));
    } catch (error) {
      this.#drained();
      this.#end({ kind: 'notStarted', program: path, problem: messageOf(error) });
      return;
    }
    void this.#endWithPppd(path);
    this.#openRelay();
  }

  interfaceName(): string | null {
    return interfaceOfPppd(this.#pppd.pid);
  }

  /** Only scripts limit pppd's interface. */
  speed(): null {
    return null;
  }

  setSendAccm(accm: number): void {
    this.#accm.added = accm;
    this.#escape();
  }

  setTap(tap: FrameTap | null): void {
    this.#tap = tap;
    this.#relay?.setTap(tap);
  }

  holdBack(isHeld: boolean): void {
    this.#relay?.holdBack(isHeld);
  }

  counters(): LinkCounters | null {
    return this.#relay?.counters() ?? null;
  }

  countStrays(): void {
    this.#relay?.countStrays();
  }

  async close({ peerGone }: LinkClose): Promise<void> {
    this.#state = 'ended';
    this.#stopAwaitingExit();
    if (peerGone) {
      this.#relay?.close();
      this.#drained();
      this.#pppd.hangUp();
    }
    await this.#pppd.end(this.#options.configuration.timeouts.pppdExit);
    await this.#over;
    this.#relay?.close();
  }

  #openRelay(): void {
    const { configuration, peerAddress, localAddress, localCallId, peerCallId, peerWindow } = this.#options;
    try {
      this.#port.open(this.#pppd.fd, (chunk) => this.#recvWords(chunk));
      this.#relay = new Relay({
        localAddress,
        peerAddress,
        localCallId,
        peerCallId,
        peerWindow,
        window: configuration.gre.window,
        device: configuration.listen.vrf,
        buffers: this.#buffers,
        port: this.#port,
        onEvent: (event) => this.#recvRelayEvent(event),
      });
      this.#relay.setTap(this.#tap);
    } catch (error) {
      this.#drained();
      this.#end(greCause(error));
    }
  }

  async #endWithPppd(path: string): Promise<void> {
    const { code, signal } = await this.#over;
    const words = this.#words.replaceAll(/\s+/g, ' ').trim();
    if (signal > 0) this.#end({ kind: 'signal', signal, words });
    else this.#end({ kind: 'exit', code, words, complaint: complaintIn(this.#words, path) });
  }

  async #awaitOver(): Promise<PppdExit> {
    const drained = new Promise<void>((resolve) => (this.#drained = resolve));
    const exit = await this.#pppd.exited();
    const timer = setTimeout(this.#drained, LAST_WORDS_MS);
    await drained;
    clearTimeout(timer);
    return exit;
  }

  #recvRelayEvent(event: RelayEvent): void {
    switch (event.type) {
      case 'control':
        this.#recvControlFrame(event.direction, event.frame);
        break;
      case 'blackHole':
        this.#options.onEvent(event);
        break;
      case 'ended':
        this.#drained();
        this.#recvRelayFailure(event.failure);
    }
  }

  #recvRelayFailure(failure: RelayFailure): void {
    switch (failure.kind) {
      case 'closed':
        // Usually pppd is about to exit, and its exit code says more.
        this.#awaitExit({ kind: 'ptyClosed', seconds: EXIT_SECONDS });
        break;
      case 'unreadable':
        this.#end({ kind: 'ptyUnreadable', problem: failure.code });
        break;
      case 'gre':
        this.#end({ kind: 'gre', step: `${failure.step} GRE packets`, problem: failure.code });
    }
  }

  #recvControlFrame(direction: 'fromClient' | 'toClient', frame: Uint8Array): void {
    if (this.#state === 'starting' && direction === 'toClient') {
      this.#state = 'ready';
      this.#options.onEvent({ type: 'ready' });
    }
    for (const event of this.#reader.observe(direction, frame, Date.now())) {
      if (event.type === 'linkOpened') {
        this.#accm.negotiated = event.accm.fromClient;
        this.#escape();
      }
      this.#watchLinkEnd(event);
      this.#options.onEvent({ type: 'ppp', event });
    }
  }

  #watchLinkEnd({ type }: PppEvent): void {
    if (type === 'linkOpened') this.#stopAwaitingExit();
    else if (type === 'terminated') this.#awaitExit({ kind: 'noNewLink', seconds: EXIT_SECONDS });
  }

  /** If pppd does not exit, the link ends with `cause`, the first one that is given. */
  #awaitExit(cause: EndCause): void {
    if (this.#state !== 'ended') this.#exitTimer ??= setTimeout(() => this.#end(cause), EXIT_SECONDS * 1000);
  }

  #stopAwaitingExit(): void {
    clearTimeout(this.#exitTimer);
    this.#exitTimer = undefined;
  }

  #escape(): void {
    const { negotiated, added } = this.#accm;
    this.#port.setSendAccm((negotiated | added) >>> 0);
  }

  #recvWords(chunk: string): void {
    if (this.#state === 'starting' && chunk.startsWith(BARE_FRAME)) this.#end({ kind: 'synchronous' });
    else if (this.#words.length < MAX_WORDS) this.#words += chunk;
  }

  #end(cause: EndCause): void {
    this.#stopAwaitingExit();
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#options.onEvent({ type: 'ended', cause });
  }
}
