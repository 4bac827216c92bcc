/**
 * What a call needs and what takes long to make, made before there is a client: the process that becomes pppd, on its
 * pty, and the relay's memory.
 */
import { createHdlc } from '../gre/hdlc-module.js';
import { RelayMemory } from '../gre/memory.js';
import { Pppd } from './pppd.js';

export class Line {
  readonly memory = new RelayMemory(createHdlc());
  readonly pppd = new Pppd();

  /** Ends a line that no call has had; resolves when nothing is left of it. */
  async close(): Promise<void> {
    this.pppd.hangUp();
    await this.pppd.end(0);
  }
}

/** A line, or null where there cannot be one now: the call that needs it tries again, and tells why not. */
export function prepareLine(): Line | null {
  try {
    return new Line();
  } catch {
    return null;
  }
}
