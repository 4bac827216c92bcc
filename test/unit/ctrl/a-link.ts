/** A link and a standby that only record their calls; the test makes the events. */
import { noneCounted } from '../../../src/gre/relay-counters.js';
import type { FrameTap } from '../../../src/gre/relay.js';
import type { ProcessIdentity } from '../../../src/host/process.js';
import type {
  Link,
  LinkClose,
  LinkCounters,
  LinkEvent,
  LinkKind,
  LinkLimits,
  LinkOptions,
  Standby,
} from '../../../src/link/link.js';
import type { Speed } from '../../../src/monitor/limited-device.js';
import type { PppState } from '../../../src/ppp/reader.js';
import { Link as PppLink } from '../ppp/frames.js';

let processes = 100;
const newProcess = (): ProcessIdentity => ({ pid: (processes += 1), startTime: '4711' });

export class ALink implements Link {
  kind: LinkKind = 'pppd';
  interface: string | null = null;
  limits: LinkLimits | null = null;
  inForce: Speed | null = null;
  readonly options: LinkOptions;
  readonly process: ProcessIdentity | null;
  /** The frames that have passed, and the state of their reader. */
  readonly frames = new PppLink();
  hasStarted = false;
  sendAccm: number | null = null;
  tap: FrameTap | null = null;
  isHeldBack = false;
  counted: LinkCounters = noneCounted();
  /** The options of each call of `close`. */
  readonly closes: LinkClose[] = [];
  /** Runs in `start`. */
  atStart: (link: ALink) => void = () => undefined;
  /** `close` resolves at once, otherwise at `isGone`. */
  closesAtOnce = true;
  readonly #closed: Promise<void>;
  #resolveClosed: () => void = () => undefined;

  constructor(options: LinkOptions, process: ProcessIdentity | null) {
    this.options = options;
    this.process = process;
    this.#closed = new Promise((resolve) => (this.#resolveClosed = resolve));
  }

  /** Emits an event. */
  tell(event: LinkEvent): void {
    this.options.onEvent(event);
  }

  /** Passes frames and emits their events. */
  play(pass: (frames: PppLink) => void): void {
    const before = this.frames.events.length;
    pass(this.frames);
    for (const event of this.frames.events.slice(before)) this.tell({ type: 'ppp', event });
  }

  /** Lets `close` resolve. */
  isGone(): void {
    this.#resolveClosed();
  }

  get ppp(): PppState {
    return this.frames.state;
  }

  start(): void {
    this.hasStarted = true;
    this.atStart(this);
  }

  interfaceName(): string | null {
    return this.interface;
  }

  speed(): Speed | null {
    return this.inForce;
  }

  setSendAccm(accm: number): void {
    this.sendAccm = accm;
  }

  setTap(tap: FrameTap | null): void {
    this.tap = tap;
  }

  holdBack(isHeld: boolean): void {
    this.isHeldBack = isHeld;
  }

  countStrays(): void {}

  counters(): LinkCounters | null {
    return this.counted;
  }

  async close(how: LinkClose): Promise<void> {
    this.closes.push(how);
    if (this.closesAtOnce) this.isGone();
    return this.#closed;
  }
}

export class AStandby implements Standby {
  readonly process: ProcessIdentity | null = newProcess();
  isOver = false;
  isClosed = false;
  /** The link that was made of it. */
  made: ALink | null = null;
  atStart: (link: ALink) => void = () => undefined;
  closesAtOnce = true;

  link(options: LinkOptions): Link {
    if (this.made !== null) throw new Error('a standby becomes one link');
    this.made = new ALink(options, this.process);
    this.made.atStart = this.atStart;
    this.made.closesAtOnce = this.closesAtOnce;
    return this.made;
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}
