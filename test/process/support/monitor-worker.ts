/**
 * A process without any privilege, as a worker is, that does what the test says: it asks the monitor by the program's own
 * client, or sends it whatever octets the test likes, as somebody would who has taken a worker over.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdirSync, readFileSync, readSync, renameSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { type LoginRequest, MonitorClient } from '../../../src/monitor/monitor-client.js';
import { MonitorError } from '../../../src/monitor/monitor-failure.js';
import { encodeMessage, type InterfaceState } from '../../../src/monitor/protocol.js';
import { responseV2 } from '../../../src/mschap/ms-chap-v2.js';
import { ntHash } from '../../../src/mschap/password-hash.js';
import { Poller } from '../../../src/sys/poller.js';
import { identifyOurselves } from '../../../src/host/process.js';
import { close } from '../../../src/sys/descriptor.js';
import { libc } from '../../../src/sys/libc.js';
import { MAX_READ, OFFLOAD_HEADER } from '../../../src/sys/tun-device.js';
import {
  acceptSeqpacket,
  connectSeqpacket,
  listenSeqpacket,
  receivePacket,
  sendPacket,
} from '../../../src/sys/seqpacket-socket.js';

/** linux/if_tun.h */
const TUNSETPERSIST = 0x400454cb;

const [path = '', firstSession = ''] = process.argv.slice(2);
let session = firstSession;
let client = new MonitorClient(path, session);
let tun: number | null = null;
const asked: string[] = [];

/** What the test can have it do; each returns JSON. */
const ACTS: Readonly<Record<string, (...args: never[]) => unknown>> = {
  authenticate: async (name: string, password: string) =>
    client.authenticate(login(name, password, await client.drawChallenge('ms-chap-v2'))),
  authenticateByPap: async (name: string, password: string) =>
    client.authenticate({
      method: 'pap',
      name: Buffer.from(name),
      challenge: Buffer.alloc(0),
      response: Buffer.from(password),
      identifier: 1,
    }),
  openTun: async () => {
    const { name, fd, socket } = await client.openTun();
    tun = fd;
    if (socket !== undefined) closeSync(socket);
    return name;
  },
  /** Makes the interface outlive its descriptor (TUNSETPERSIST); the server's own workers cannot. */
  persist: () => {
    const ioctl = libc.func('int ioctl(int fd, unsigned long request, ...)');
    return ioctl(tun ?? -1, TUNSETPERSIST, 'ulong', 1);
  },
  closeTun: () => {
    if (tun !== null) closeSync(tun);
    tun = null;
  },
  /** Packets that wait in the TUN device, hexadecimal, without the offload header. */
  readTun: () => {
    const packets: string[] = [];
    const packet = Buffer.alloc(MAX_READ);
    for (;;) {
      try {
        packets.push(packet.subarray(OFFLOAD_HEADER, readSync(tun ?? -1, packet)).toString('hex'));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return packets;
        throw error;
      }
    }
  },
  configure: async (state: InterfaceState) => client.configure(state),
  close: async (cause?: number) => {
    await client.close(cause);
    client = new MonitorClient(path, session);
  },
  /** Its next session. */
  serve: (next: string) => {
    session = next;
    client = new MonitorClient(path, session);
  },
  /** Listens as a session's worker does at `at`, and does what it is asked; `asked` has what is sent to it. */
  serveSession: async (at: string) => {
    mkdirSync(dirname(at), { recursive: true });
    const server = createServer((socket) =>
      socket.on('data', (line) => {
        asked.push(String(line));
        socket.write('{"id":1,"ok":true}\n');
      }),
    );
    server.listen(at);
    await once(server, 'listening');
  },
  asked: () => asked,
  /** Sends messages (text) on a connection of its own; returns what comes back until the monitor closes it. */
  raw: async (...messages: readonly string[]) => exchange(messages),
  readFile: (file: string) => readFileSync(file, 'utf8'),
  remove: (file: string) => rmSync(file),
  rename: (from: string, to: string) => renameSync(from, to),
  /** Listens where the monitor should. */
  listen: (at: string) => listenSeqpacket(at, 8),
  /** Answers as a monitor of this version that has just been announced to. */
  beMonitor: (version: string) => {
    const listener = listenSeqpacket(path, 8);
    new Poller(() => greet(acceptSeqpacket(listener), version)).watch(listener, true, false);
  },
};

function greet(fd: number | null, version: string): void {
  if (fd === null) return;
  const answer = { type: 'announced', version, supervisor: identifyOurselves() } as const;
  sendPacket(fd, encodeMessage(1, answer));
}

function login(user: string, password: string, challenge: Uint8Array): LoginRequest {
  const [name, clientChallenge] = [Buffer.from(user), randomBytes(16)];
  const response = responseV2({ ntHash: ntHash(password), name, challenge, clientChallenge });
  return { method: 'ms-chap-v2', name, challenge, response, identifier: 1 };
}

async function exchange(messages: readonly string[]): Promise<string[]> {
  const fd = connectSeqpacket(path);
  const answers: string[] = [];
  const into = Buffer.alloc(8192);
  for (const message of messages) if (sendPacket(fd, Buffer.from(message)) === 'closed') break;
  for (;;) {
    const packet = receivePacket(fd, into, false);
    if (packet === 'closed') break;
    if (packet === null) await new Promise((resolve) => setImmediate(resolve));
    else answers.push(into.toString('utf8', 0, packet.length));
  }
  close(fd);
  return answers;
}

process.on('message', ({ id, act, args }: { id: number; act: string; args: never[] }) => {
  const work = async (): Promise<unknown> => ACTS[act]?.(...args);
  work().then(
    (result) => process.send?.({ id, outcome: { result: result ?? null } }),
    (error: unknown) =>
      process.send?.({
        id,
        outcome: { failure: error instanceof MonitorError ? error.failure : { kind: 'error', text: String(error) } },
      }),
  );
});
process.on('disconnect', () => process.exit(0));
