/**
 * The data path of one call: PPP frames between the client's GRE and pppd's pty. Batches throughout: one recvmmsg, one
 * write, one sendmmsg for many packets, in memory that the kernel and the codec share. Nothing is allocated per packet
 * and a turn's work is bounded, so that the control connection beside it is never late. Full queues drop and count.
 * Kept fast by test/bench's echo, uplink and downlink rows.
 */
import { ACKNOWLEDGMENT_DELAY, Acknowledgment } from './acknowledgment.js';
import { monotonicMs } from './clock.js';
import { noneCounted, type RelayCounters } from './counters.js';
import { GreSocket, MSG_DONTWAIT } from './gre-socket.js';
import { ACCM_ALL, type Hdlc } from './hdlc.js';
import { createHdlc } from './hdlc-module.js';
import { decodeHeader, emptyHeader, encodeAcknowledgment, encodeDataHeader, type HeaderFault } from './header.js';
import {
  ACKNOWLEDGMENT_MESSAGE,
  LONGEST_FRAME,
  READ_LENGTH,
  RECEIVE_BATCH,
  RelayMemory,
  SEND_BATCH,
} from './memory.js';
import { Preamble } from './preamble.js';
import { PtyQueue } from './pty-queue.js';
import { ReceiveSlots } from './receive-slots.js';
import { SendWindow } from './send-window.js';
import { ReceiveSequence } from './sequence.js';
import { SizeLoss } from './size-loss.js';
import { close, duplicate, lastError, lastErrorName, read, recvmmsg, sendmmsg, setNonBlocking } from './system.js';

export type { RelayCounters } from './counters.js';

export type Direction = 'fromClient' | 'toClient';

export interface RelayEvents {
  /** What came out of the pty before the first PPP frame: pppd's own words. */
  text(chunk: string): void;
  /**
   * A PPP frame that is not data: LCP, authentication, NCPs, CCP (protocol 0x8000 and above), without FCS, with or
   * without address and control field, as on the wire. A view that is good only during the call.
   */
  control(direction: Direction, frame: Uint8Array): void;
  /** Long frames to the client get lost and shorter ones, of up to `arrives` octets, do not; at most once. */
  blackHole?(arrives: number, missing: number): void;
  /** The relay has ended by itself and closed; at most once, never after `close`. */
  end(reason: 'ptyClosed' | 'socketFailed', detail: string): void;
}

export interface RelayOptions {
  readonly localAddress: string;
  readonly peerAddress: string;
  /** The call id that the client's packets carry, and the one that ours do. */
  readonly localCallId: number;
  readonly peerCallId: number;
  /** The client's receive window, packets. */
  readonly peerWindow: number;
  /** What the client was told to be ours, packets. */
  readonly receiveWindow?: number;
  /** Whether sending keeps to the congestion window of RFC 2637 §4.2 or only measures it; advise unless told. */
  readonly window?: 'advise' | 'enforce';
  /** The pty's master; it stays the caller's, and may be closed before the relay is. */
  readonly ptyFd: number;
  /** The VRF's device. */
  readonly device?: string;
  /** Made already, and nobody else's; else it is made now. */
  readonly memory?: RelayMemory;
  readonly events: RelayEvents;
}

/** Packets that a client may send unacknowledged, as its call's reply tells it (RFC 2637 §2.8). */
export const RECEIVE_WINDOW = 64;
/** Batches and reads of one turn; the rest waits until the event loop has been round. */
const ROUNDS_PER_TURN = 4;
const READS_PER_ROUND = 8;
/** PPP: address and control field (RFC 1662 §3.1), the first protocol that is not data (RFC 1661 §2), LCP. */
const ADDRESS = 0xff;
const CONTROL = 0x03;
const FIRST_CONTROL_PROTOCOL = 0x80;

const FAULT_COUNTERS = {
  tooShort: 'rxTooShort',
  wrongVersion: 'rxWrongVersion',
  wrongProtocol: 'rxWrongProtocol',
  wrongFlags: 'rxWrongFlags',
  wrongCallId: 'rxWrongCallId',
  truncated: 'rxTruncated',
  noSequence: 'rxNoSequence',
} as const satisfies Record<HeaderFault, keyof RelayCounters>;

export class Relay {
  readonly #localCallId: number;
  readonly #peerCallId: number;
  readonly #enforce: boolean;
  readonly #events: RelayEvents;
  readonly #hdlc: Hdlc;
  readonly #memory: RelayMemory;
  readonly #socket: GreSocket;
  readonly #pty: number;

  readonly #sequence = new ReceiveSequence();
  readonly #acknowledgment: Acknowledgment;
  readonly #sendWindow: SendWindow;
  readonly #sizeLoss = new SizeLoss();
  #blackHoleTold = false;
  readonly #counters = noneCounted();
  readonly #header = emptyHeader();

  readonly #slots: ReceiveSlots;
  readonly #queue: PtyQueue;
  #ptyBlocked = false;
  /** Read from the pty and not yet decoded: only while the window is closed. */
  #unreadAt = 0;
  #unread = 0;
  /** The first decoded frame that is not sent. */
  #firstFrame = 0;
  #windowClosed = false;
  /** See `holdBack`. */
  #heldBack = false;

  #accm = ACCM_ALL;
  #preamble: Preamble | null = new Preamble();
  #started = false;
  /** The socket is watched: the write queue has room. */
  #receiving = false;
  #closed = false;
  #tap: ((direction: Direction, frame: Uint8Array) => void) | null = null;

  #acknowledgmentTimer: NodeJS.Timeout | null = null;
  #reorderTimer: NodeJS.Timeout | null = null;
  #windowTimer: NodeJS.Timeout | null = null;

  /**
   * Opens the GRE socket and begins to read the pty. The socket is first read when pppd's first frame has come out of
   * the pty: what the client sends before waits in the kernel. Throws a sentence when the socket cannot be opened.
   */
  constructor(options: RelayOptions) {
    this.#localCallId = options.localCallId;
    this.#peerCallId = options.peerCallId;
    this.#enforce = options.window === 'enforce';
    this.#events = options.events;
    this.#acknowledgment = new Acknowledgment(options.receiveWindow ?? RECEIVE_WINDOW);
    this.#sendWindow = new SendWindow(options.peerWindow);
    this.#memory = options.memory ?? new RelayMemory(createHdlc());
    this.#hdlc = this.#memory.hdlc;
    this.#slots = new ReceiveSlots(this.#memory);
    const { localAddress, peerAddress, localCallId: callId, device } = options;
    this.#socket = new GreSocket({ memory: this.#memory, localAddress, peerAddress, callId, device }, () => {
      this.#turn();
    });
    // A descriptor of our own: the number of a closed one may be another file's by the next read.
    this.#pty = duplicate(options.ptyFd);
    setNonBlocking(this.#pty);
    this.#queue = new PtyQueue(this.#memory, this.#hdlc, this.#pty);
    this.#socket.watch(this.#pty, true, false);
  }

  /**
   * Which control characters are escaped in data frames for pppd: bit n for octet n (RFC 1662 §7.1). All of them until
   * told. LCP, authentication and the other control frames are escaped fully, since pppd may not yet have done what it
   * has agreed to.
   */
  setSendAccm(accm: number): void {
    this.#accm = accm;
  }

  /**
   * Whether nothing is sent to the client for now, neither frames, which wait in the pty, nor acknowledgments. What comes from
   * it is taken as ever.
   */
  holdBack(isHeld: boolean): void {
    if (this.#closed || this.#heldBack === isHeld) return;
    this.#heldBack = isHeld;
    this.#watchPty();
    if (!isHeld && this.#windowClosed) this.#resumeSending(monotonicMs());
  }

  /** Has every frame shown to `tap`, as `RelayEvents.control` shows some; null ends it. */
  setTap(tap: ((direction: Direction, frame: Uint8Array) => void) | null): void {
    this.#tap = tap;
  }

  /** A copy of what was counted so far; the last figures once closed. */
  counters(): RelayCounters {
    // Into the one object: a literal that spreads it and names more is a dictionary for V8, of 14 KB each time.
    const counters = this.#counters;
    counters.rxLost = this.#sequence.lost;
    counters.rxResyncs = this.#sequence.resyncs;
    counters.rxSocketFull = this.#socket.droppedByKernel();
    const { badFcs, tooShort, tooLong, aborted } = this.#hdlc.dropped();
    counters.ptyBadFcs = badFcs;
    counters.ptyTooShort = tooShort;
    counters.ptyTooLong = tooLong;
    counters.ptyAborted = aborted;
    const { impossible, window, outstanding, timeouts, exceeded, roundTrip, timeout } = this.#sendWindow;
    counters.acksImpossible = impossible;
    counters.window = window;
    counters.outstanding = outstanding;
    counters.windowTimeouts = timeouts;
    counters.windowExceeded = exceeded;
    counters.roundTrip = roundTrip ?? 0;
    counters.timeout = roundTrip === null ? 0 : timeout;
    return { ...counters };
  }

  /** Stops timers, closes the socket and lets go of the pty. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of [this.#acknowledgmentTimer, this.#reorderTimer, this.#windowTimer]) {
      if (timer !== null) clearTimeout(timer);
    }
    this.#socket.close();
    close(this.#pty);
  }

  #end(reason: 'ptyClosed' | 'socketFailed', detail: string): void {
    if (this.#closed) return;
    this.close();
    this.#events.end(reason, detail);
  }

  /** Something can be read or written. */
  #turn(): void {
    const now = monotonicMs();
    if (this.#ptyBlocked) this.#flushQueue();
    for (let round = 0; round < ROUNDS_PER_TURN && !this.#closed; round += 1) {
      const received = this.#mayReceive() ? this.#recvPackets(now) : 0;
      if (this.#closed) break;
      // Not at the turn's end: a client that keeps to its window goes on while the rest is done.
      if (this.#acknowledgment.isUrgent) this.#sendAcknowledgment();
      const reads = this.#maySend() ? this.#readPty(now) : 0;
      if (received < RECEIVE_BATCH && reads < READS_PER_ROUND) break;
    }
    if (!this.#closed) this.#endTurn(now);
  }

  #endTurn(now: number): void {
    if (this.#sizeLoss.isSuspected && !this.#blackHoleTold) {
      this.#blackHoleTold = true;
      this.#events.blackHole?.(this.#sizeLoss.arrives, this.#sizeLoss.missing);
    }
    if (this.#sendWindow.expire(now) && this.#windowClosed) this.#resumeSending(now);
    if (this.#acknowledgment.isUrgent) this.#sendAcknowledgment();
    else if (this.#acknowledgment.isDue && this.#acknowledgmentTimer === null) this.#startAcknowledgmentTimer();
    if (this.#sequence.held > 0 && this.#reorderTimer === null) this.#startReorderTimer(now);
  }

  /** Apart, for a function that makes a closure makes its context whenever it is called. */
  #startAcknowledgmentTimer(): void {
    this.#acknowledgmentTimer = setTimeout(() => {
      this.#acknowledgmentTimer = null;
      if (this.#acknowledgment.isDue) this.#sendAcknowledgment();
    }, ACKNOWLEDGMENT_DELAY);
  }

  // From the client to the pty.

  /**
   * Whether the write queue has room for a batch. If not, packets wait in the kernel, unacknowledged, which is what
   * slows a client that keeps to its window; one that does not loses them there and costs us nothing.
   */
  #mayReceive(): boolean {
    if (!this.#started) return false;
    const mayReceive = this.#queue.makeRoom();
    if (this.#receiving !== mayReceive) {
      this.#receiving = mayReceive;
      this.#socket.watch(this.#socket.fd, mayReceive, false);
    }
    return mayReceive;
  }

  /** One batch; returns how many packets it had, full size after an error so that the caller tries again. */
  #recvPackets(now: number): number {
    const memory = this.#memory;
    const count = recvmmsg(this.#socket.fd, memory.receiveMessages, RECEIVE_BATCH, MSG_DONTWAIT, 0);
    if (count < 0) return this.#recvFailed();
    for (let index = 0; index < count; index += 1) this.#recvPacket(index, memory.receivedLength(index), now);
    this.#flushQueue();
    return count;
  }

  #recvFailed(): number {
    const error = lastError();
    if (error === 'wouldBlock') return 0;
    if (error === 'broken') {
      this.#end('socketFailed', `cannot receive GRE: ${lastErrorName()}`);
      return 0;
    }
    this.#counters.icmpErrors += 1;
    return RECEIVE_BATCH;
  }

  #recvPacket(index: number, length: number, now: number): void {
    const counters = this.#counters;
    const header = this.#header;
    const { view } = this.#memory;
    const slot = this.#slots.of(index);
    const at = this.#memory.receiveSlotAt(slot);
    if (length < 0) {
      counters.rxTooLong += 1;
      return;
    }
    // The kernel has checked the IP header; its length is in words of 4 octets.
    const greAt = at + (view.getUint8(at) & 0x0f) * 4;
    const fault = decodeHeader(view, greAt, at + length, this.#localCallId, header);
    if (fault !== null) {
      counters[FAULT_COUNTERS[fault]] += 1;
      return;
    }
    if (header.hasAcknowledgment) {
      counters.acksReceived += 1;
      this.#sendWindow.recvAcknowledgment(header.acknowledgment, now);
      this.#sizeLoss.recvAcknowledgment(header.acknowledgment);
      if (this.#windowClosed) this.#resumeSending(now);
    }
    if (header.payloadLength === 0) return;
    if (header.payloadLength > LONGEST_FRAME) {
      counters.rxTooLong += 1;
      return;
    }
    this.#slots.payloadAt[slot] = header.payloadAt;
    this.#slots.payloadLength[slot] = header.payloadLength;
    this.#recvInSequence(index, slot, header.sequence, now);
  }

  #recvInSequence(index: number, slot: number, number: number, now: number): void {
    const counters = this.#counters;
    const sequence = this.#sequence;
    switch (sequence.receive(number, slot, now)) {
      case 'accepted':
        break;
      case 'held':
        counters.rxHeld += 1;
        this.#slots.hold(index);
        break;
      case 'late':
        counters.rxLate += 1;
        return;
      case 'duplicate':
        counters.rxDuplicate += 1;
        return;
      case 'outside':
        counters.rxOutsideWindow += 1;
        return;
    }
    this.#acknowledgment.recvUpTo(sequence.highest);
    this.#deliverReleased(slot);
  }

  /** Gives what the sequence has released to the pty. All slots but the batch's own, `kept`, come free. */
  #deliverReleased(kept: number): void {
    const { released, releasedCount } = this.#sequence;
    const { payloadAt, payloadLength } = this.#slots;
    for (let index = 0; index < releasedCount; index += 1) {
      const slot = released[index] ?? 0;
      this.#deliver(payloadAt[slot] ?? 0, payloadLength[slot] ?? 0);
      if (slot !== kept) this.#slots.release(slot);
    }
    this.#sequence.releasedCount = 0;
  }

  #deliver(at: number, length: number): void {
    const counters = this.#counters;
    const isControl = this.#isControl(at);
    if (isControl || this.#tap !== null) this.#tell('fromClient', at, length, isControl);
    if (!this.#queue.push(at, length, isControl ? ACCM_ALL : this.#accm)) {
      counters.rxPtyFull += 1;
      return;
    }
    counters.rxPackets += 1;
    counters.rxBytes += length;
  }

  /** What the pty does not take at once waits until it can be written again. */
  #flushQueue(): void {
    if (this.#closed) return;
    this.#queue.flush();
    const isBlocked = !this.#queue.isEmpty;
    if (this.#ptyBlocked === isBlocked) return;
    this.#ptyBlocked = isBlocked;
    this.#watchPty();
  }

  #watchPty(): void {
    this.#socket.watch(this.#pty, this.#maySend(), this.#ptyBlocked);
  }

  #startReorderTimer(now: number): void {
    const deadline = this.#sequence.deadline();
    if (deadline === null) return;
    this.#reorderTimer = setTimeout(
      () => {
        this.#reorderTimer = null;
        const then = monotonicMs();
        this.#sequence.expire(then);
        this.#deliverReleased(-1);
        this.#flushQueue();
        if (!this.#closed && this.#sequence.held > 0) this.#startReorderTimer(then);
      },
      Math.max(1, Math.ceil(deadline - now)),
    );
  }

  // From the pty to the client.

  /** Reads until the pty is empty, at most READS_PER_ROUND times; returns how often. */
  #readPty(now: number): number {
    const memory = this.#memory;
    let reads = 0;
    while (reads < READS_PER_ROUND) {
      const count = read(this.#pty, memory.readAddress, READ_LENGTH);
      if (count <= 0) {
        if (count < 0 && lastError() === 'wouldBlock') break;
        const detail = count === 0 ? "pppd's pty is closed" : `cannot read pppd's pty: ${lastErrorName()}`;
        // What pppd said last goes out first.
        if (this.#hdlc.frameCount > 0) this.#sendFrames(now);
        this.#end('ptyClosed', detail);
        return 0;
      }
      reads += 1;
      this.#unreadAt = memory.readAt;
      this.#unread = count;
      if (this.#preamble !== null) this.#readText(this.#preamble);
      if (this.#closed || !this.#decode(now)) return reads;
    }
    if (this.#hdlc.frameCount > 0) this.#sendFrames(now);
    return reads;
  }

  #readText(preamble: Preamble): void {
    const { text, frameAt } = preamble.take(this.#memory.frame(this.#unreadAt, this.#unread));
    if (frameAt !== null) this.#preamble = null;
    const used = frameAt ?? this.#unread;
    this.#unreadAt += used;
    this.#unread -= used;
    if (text === '') return;
    this.#events.text(text);
  }

  /** Takes frames from what was read, and sends whenever the slots are full; false when the window has closed. */
  #decode(now: number): boolean {
    while (this.#unread > 0) {
      const used = this.#hdlc.decode(this.#unreadAt, this.#unread);
      this.#unreadAt += used;
      this.#unread -= used;
      if (this.#hdlc.frameCount === SEND_BATCH && !this.#sendFrames(now)) return false;
    }
    return true;
  }

  /** Sends the decoded frames, as far as the window lets it; false when some have to wait. */
  #sendFrames(now: number): boolean {
    const memory = this.#memory;
    const counters = this.#counters;
    const count = this.#hdlc.frameCount;
    const first = this.#firstFrame;
    const end = this.#enforce ? Math.min(count, first + this.#sendWindow.allowance) : count;
    for (let index = first; index < end; index += 1) {
      const at = memory.frameAt(index);
      const length = memory.frameLength(index);
      const isControl = this.#isControl(at);
      if (isControl || this.#tap !== null) this.#tell('toClient', at, length, isControl);
      const acknowledgment = this.#acknowledgment.ride();
      if (acknowledgment !== null) counters.acksSentWithData += 1;
      const sequence = this.#sendWindow.send(now);
      this.#sizeLoss.send(sequence, length, now);
      const headerAt = encodeDataHeader(memory.view, at, length, this.#peerCallId, sequence, acknowledgment);
      memory.sendFrom(index, headerAt, at + length - headerAt);
      counters.txPackets += 1;
      counters.txBytes += length;
    }
    if (this.#closed) return false;
    if (!this.#started && end > first) this.#start();
    this.#transmit(first, end);
    if (end < count) {
      this.#firstFrame = end;
      this.#closeWindow(now);
      return false;
    }
    this.#firstFrame = 0;
    this.#hdlc.takeFrames();
    return true;
  }

  /** pppd has sent a frame: its pty is raw now, and can be written to. */
  #start(): void {
    this.#started = true;
    this.#receiving = true;
    this.#socket.watch(this.#socket.fd, true, false);
  }

  #transmit(first: number, end: number): void {
    let next = first;
    let refused = -1;
    while (next < end) {
      const sent = sendmmsg(this.#socket.fd, this.#memory.sendMessages(next), end - next, MSG_DONTWAIT);
      if (sent > 0) {
        next += sent;
        continue;
      }
      switch (lastError()) {
        case 'wouldBlock':
        case 'queueFull':
          this.#counters.txSocketFull += end - next;
          this.#acknowledgment.unsent();
          return;
        case 'broken':
          this.#end('socketFailed', `cannot send GRE: ${lastErrorName()}`);
          return;
        case 'hungUp':
        case 'told':
          // The first error may be an earlier packet's; the second one is this packet's.
          if (refused === next) {
            this.#counters.txRefused += 1;
            next += 1;
          } else {
            this.#counters.icmpErrors += 1;
            refused = next;
          }
      }
    }
  }

  #maySend(): boolean {
    return !this.#windowClosed && !this.#heldBack;
  }

  #sendAcknowledgment(): void {
    if (this.#heldBack) return;
    const { view, acknowledgmentEnd } = this.#memory;
    const at = encodeAcknowledgment(view, acknowledgmentEnd, this.#peerCallId, this.#acknowledgment.sendAlone());
    this.#memory.sendFrom(ACKNOWLEDGMENT_MESSAGE, at, acknowledgmentEnd - at);
    this.#counters.acksSentAlone += 1;
    this.#transmit(ACKNOWLEDGMENT_MESSAGE, ACKNOWLEDGMENT_MESSAGE + 1);
  }

  // §4.2 enforced: while the window is closed the pty is not read, and pppd's queue fills instead of the network's.

  #closeWindow(now: number): void {
    if (!this.#windowClosed) {
      this.#windowClosed = true;
      this.#watchPty();
    }
    const deadline = this.#sendWindow.deadline;
    if (this.#windowTimer !== null || deadline === null) return;
    this.#windowTimer = setTimeout(
      () => {
        this.#windowTimer = null;
        const then = monotonicMs();
        this.#sendWindow.expire(then);
        this.#resumeSending(then);
      },
      Math.max(1, Math.ceil(deadline - now)),
    );
  }

  #resumeSending(now: number): void {
    if (this.#heldBack || !this.#sendFrames(now) || !this.#decode(now) || !this.#sendFrames(now)) return;
    this.#windowClosed = false;
    this.#watchPty();
  }

  // Both ways.

  /** Whether the frame at `at` is LCP, authentication or another control protocol; data frames cost two looks. */
  #isControl(at: number): boolean {
    const { octets } = this.#memory;
    const protocolAt = octets[at] === ADDRESS && octets[at + 1] === CONTROL ? at + 2 : at;
    const protocol = octets[protocolAt] ?? 0;
    // An odd first octet is a compressed protocol field, and data.
    return protocol >= FIRST_CONTROL_PROTOCOL && (protocol & 1) === 0;
  }

  #tell(direction: Direction, at: number, length: number, isControl: boolean): void {
    const frame = this.#memory.frame(at, length);
    this.#tap?.(direction, frame);
    if (!isControl) return;
    this.#events.control(direction, frame);
  }
}
