/** The monitor, with a TUN device without offloads and with PAP alone, so that its tests need neither MPPE nor GSO. */
import { closeSync, constants, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import koffi from 'koffi';
import { runMonitorProcess } from '../../../src/monitor/monitor-process.js';
import type { Verifier } from '../../../src/monitor/verifier.js';
import { lastErrorName, SystemCallFailed } from '../../../src/sys/libc.js';

const TUNSETIFF = 0x400454ca;
const IFF_TUN = 0x0001;
const IFF_NO_PI = 0x1000;

const ioctl: (fd: number, request: number, type: 'void *', argument: Buffer) => number = koffi
  .load(null)
  .func('int ioctl(int fd, unsigned long request, ...)');

function openTunDevice(name: string): { fd: number; name: string } {
  const fd = openSync('/dev/net/tun', constants.O_RDWR | constants.O_NONBLOCK);
  const request = Buffer.alloc(40);
  request.write(name);
  request.writeUInt16LE(IFF_TUN | IFF_NO_PI, 16);
  if (ioctl(fd, TUNSETIFF, 'void *', request) < 0) {
    closeSync(fd);
    throw new SystemCallFailed(`create the interface ${name}`, lastErrorName());
  }
  return { fd, name: request.toString('latin1', 0, request.indexOf(0)) };
}

const verify: Verifier = ({ response }, secret) =>
  Buffer.from(response).equals(Buffer.from(secret))
    ? { authenticatorResponse: null, keys: { send: Buffer.alloc(16, 1), receive: Buffer.alloc(16, 2), weak: null } }
    : null;

runMonitorProcess(fileURLToPath(import.meta.url), process.argv.slice(2), { verify, openTunDevice });
