/**
 * The test in the role of pppd: the slave of a pty whose master a relay uses. Frames are built and parsed octet by
 * octet, independently of the codec, in order to check it.
 */
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import koffi from 'koffi';
import { makeRaw } from '../../../src/sys/termios.js';
import { until } from './wait.js';

const libc = koffi.load(null);
const posixOpenpt: (flags: number) => number = libc.func('int posix_openpt(int flags)');
const unlockpt: (fd: number) => number = libc.func('int unlockpt(int fd)');
const ptsname: (fd: number) => string = libc.func('str ptsname(int fd)');

const FLAG = 0x7e;
const ESCAPE = 0x7d;
const GOOD_FCS = 0xf0b8;

function fcs(octets: Iterable<number>): number {
  let value = 0xffff;
  for (const octet of octets) {
    value ^= octet;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >> 1) ^ 0x8408 : value >> 1;
  }
  return value;
}

export function toHdlc(frame: Uint8Array): Buffer {
  const check = fcs(frame) ^ 0xffff;
  const escaped = [...frame, check & 0xff, check >> 8].flatMap((octet) =>
    octet < 0x20 || octet === FLAG || octet === ESCAPE ? [ESCAPE, octet ^ 0x20] : [octet],
  );
  return Buffer.from([FLAG, ...escaped, FLAG]);
}

/** The frame without its FCS; null if the FCS is wrong. */
function fromHdlc(octets: readonly number[]): Buffer | null {
  const plain: number[] = [];
  for (let at = 0; at < octets.length; at += 1) {
    const octet = octets[at] ?? 0;
    if (octet === ESCAPE) at += 1;
    plain.push(octet === ESCAPE ? (octets[at] ?? 0) ^ 0x20 : octet);
  }
  return fcs(plain) === GOOD_FCS ? Buffer.from(plain.slice(0, -2)) : null;
}

export class PtyEnd {
  /** Valid frames received, without FCS, and the number of broken ones. */
  readonly frames: Buffer[] = [];
  broken = 0;
  /** Octets received, as they were on the pty. */
  octets = 0;
  /** The master's descriptor, for the relay. */
  readonly master: number;
  #slave: number;
  #pending: number[] = [];

  /** A new pty: in cooked mode, with echo. `access`: what its master's descriptor may be used for. */
  constructor(access = constants.O_RDWR) {
    this.master = posixOpenpt(access | constants.O_NOCTTY);
    unlockpt(this.master);
    this.#slave = openSync(ptsname(this.master), constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  }

  /** Sets raw mode, as pppd does before its first frame. */
  makeRaw(): void {
    makeRaw(this.master);
  }

  async send(...frames: readonly Uint8Array[]): Promise<void> {
    await this.write(Buffer.concat(frames.map(toHdlc)));
  }

  /** Resolves when the pty has accepted all octets. */
  async write(octets: Uint8Array): Promise<void> {
    let written = 0;
    await until('room on the pty', () => {
      written += this.#attempt(() => writeSync(this.#slave, octets, written));
      return written === octets.length;
    });
  }

  /** Reads what is available; returns `frames`. */
  read(): readonly Buffer[] {
    const chunk = Buffer.alloc(65_536);
    for (;;) {
      const count = this.#attempt(() => readSync(this.#slave, chunk));
      if (count === 0) return this.frames;
      this.octets += count;
      for (const octet of chunk.subarray(0, count)) {
        if (octet !== FLAG) {
          this.#pending.push(octet);
          continue;
        }
        if (this.#pending.length > 0) {
          const frame = fromHdlc(this.#pending);
          if (frame === null) this.broken += 1;
          else this.frames.push(frame);
        }
        this.#pending = [];
      }
    }
  }

  /** Closes the slave, as when pppd exits. Idempotent. */
  hangUp(): void {
    if (this.#slave >= 0) closeSync(this.#slave);
    this.#slave = -1;
  }

  close(): void {
    this.hangUp();
    closeSync(this.master);
  }

  /** Number of octets read or written; 0 if it would block. */
  #attempt(transfer: () => number): number {
    try {
      return transfer();
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return 0;
      throw error;
    }
  }
}
