/** A point-to-point interface whose other end is the test, which reads and writes IP packets (the kernel's tun.rst). */
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import type { TestContext } from 'node:test';
import koffi from 'koffi';
import { ip } from './station.js';
import { until } from './wait.js';

const TUNSETIFF = 0x400454ca;
const IFF_TUN = 0x0001;
const IFF_NO_PI = 0x1000;
const IFREQ_LENGTH = 40;

const ioctl: (fd: number, request: number, type: 'void *', argument: Buffer) => number = koffi
  .load(null)
  .func('int ioctl(int fd, unsigned long request, ...)');

export class Tun {
  readonly #fd: number;
  #open = true;
  /** Packets sent through it, oldest first. */
  readonly packets: Buffer[] = [];

  /** Creates the interface `name` with the addresses `local` and `peer`, and brings it up. */
  constructor(t: TestContext, name: string, local: string, peer: string) {
    this.#fd = openSync('/dev/net/tun', constants.O_RDWR | constants.O_NONBLOCK);
    t.after(() => this.close());
    const request = Buffer.alloc(IFREQ_LENGTH);
    request.write(name);
    request.writeUInt16LE(IFF_TUN | IFF_NO_PI, 16);
    if (ioctl(this.#fd, TUNSETIFF, 'void *', request) < 0) throw new Error(`cannot create the interface ${name}`);
    ip(`address add ${local} peer ${peer} dev ${name}`);
    ip(`link set ${name} up`);
  }

  get fd(): number {
    return this.#fd;
  }

  send(packet: Buffer): void {
    // Packets of a test that is over are dropped.
    if (this.#open) writeSync(this.#fd, packet);
  }

  /** The first UDP packet that ends with `text`, already received or still to come. */
  async hears(text: string): Promise<Buffer> {
    return until(`"${text}" to come out of a TUN interface`, () => {
      this.read();
      return this.packets.find((packet) => packet.toString('latin1').endsWith(text));
    });
  }

  /** Reads the available packets. Does nothing once it is closed: its descriptor may be another TUN device's by then. */
  read(): void {
    if (!this.#open) return;
    const buffer = Buffer.alloc(2048);
    for (;;) {
      try {
        this.packets.push(Buffer.from(buffer.subarray(0, readSync(this.#fd, buffer))));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return;
        throw error;
      }
    }
  }

  /** Also removes the interface. Idempotent. */
  close(): void {
    if (this.#open) closeSync(this.#fd);
    this.#open = false;
  }
}
