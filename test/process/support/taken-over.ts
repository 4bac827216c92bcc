/**
 * Workers that somebody has taken over: code of the test runs in them, as their user and with their capabilities, and does
 * what the test says. The module is loaded into each worker by NODE_OPTIONS.
 */
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lastErrorName, libc } from '../../../src/sys/libc.js';
import { NetworkConfiguration } from '../../../src/sys/network-configuration.js';
import { connectSeqpacket, receivePacket, sendPacket } from '../../../src/sys/seqpacket-socket.js';
import { openTunDevice } from '../../../src/sys/tun-device.js';

const VARIABLE = 'PPTPD_TS_TEST_TAKEN_OVER';

/** sys/ptrace.h, the system calls' numbers on every architecture, sys/socket.h. */
const PTRACE_SEIZE = 0x4206;
const PIDFD_OPEN = 434;
const PIDFD_GETFD = 438;
const PIDFD_SEND_SIGNAL = 424;
const RLIMIT_NOFILE = 7;
const AF_PACKET = 17;
const SOCK_RAW = 3;

type Result = string | number;

/** A descriptor or 0, or the error's name. */
const ended = (result: number): Result => (result < 0 ? lastErrorName() : 'done');

/** What the test can have a worker do; each returns `done` or what it read, or the error's name. */
const ACTS = {
  read: (path: string) => readFileSync(path, 'latin1'),
  append: (path: string) => {
    appendFileSync(path, '');
    return 'done';
  },
  rename: (from: string, to: string) => {
    renameSync(from, to);
    return 'done';
  },
  remove: (path: string) => {
    rmSync(path, { recursive: true });
    return 'done';
  },
  becomeRoot: () => {
    process.setuid?.(0);
    return 'done';
  },
  signal: (pid: number, signal: number) => {
    process.kill(pid, signal);
    return 'done';
  },
  trace: (pid: number) => ended(libc.func('long ptrace(int, int, void *, void *)')(PTRACE_SEIZE, pid, null, null)),
  openMemory: (pid: number) => {
    closeSync(openSync(`/proc/${pid}/mem`, 'r+'));
    return 'done';
  },
  takeDescriptor: (pid: number, fd: number) => {
    const syscall = libc.func('long syscall(long, ...)');
    const descriptor = syscall(PIDFD_OPEN, 'int', pid, 'uint', 0);
    return ended(syscall(PIDFD_GETFD, 'int', descriptor, 'int', fd, 'uint', 0));
  },
  listenToAll: () => ended(libc.func('int socket(int, int, int)')(AF_PACKET, SOCK_RAW, 0)),
  openTun: (name: string) => openTunDevice(name).name,
  /** Whatever the interface is made to be, the kernel judges the caller first. */
  configure: (method: 'setAddresses' | 'setUp' | 'addProxyArp', ...args: never[]) => {
    const network = new NetworkConfiguration();
    try {
      Reflect.apply(network[method], network, args);
    } finally {
      network.close();
    }
    return 'done';
  },
  ioctl: (fd: number, request: number, value: number) =>
    ended(libc.func('int ioctl(int fd, unsigned long request, ...)')(fd, request, 'int *', [value])),
  /** Starts a program; its exit code. */
  run: (program: string, ...args: string[]) => {
    const { error, status } = spawnSync(program, args, { stdio: 'ignore' });
    if (error !== undefined) throw error;
    return status ?? 'signal';
  },
  signalByDescriptor: (pid: number, signal: number) => {
    const syscall = libc.func('long syscall(long, ...)');
    const descriptor = syscall(PIDFD_OPEN, 'int', pid, 'uint', 0);
    return ended(syscall(PIDFD_SEND_SIGNAL, 'int', descriptor, 'int', signal, 'void *', null, 'uint', 0));
  },
  /** Takes from a process the right to open files. */
  limit: (pid: number) =>
    ended(
      libc.func('int prlimit(int pid, int resource, void *to, void *from)')(
        pid,
        RLIMIT_NOFILE,
        Buffer.from(BigUint64Array.of(8n, 8n).buffer),
        null,
      ),
    ),
  /** The monitor's answers to messages of a connection of its own, until it closes. */
  ask: async (path: string, ...messages: string[]) => (await exchange(path, messages)).join('\n'),
} as const;

type Act = keyof typeof ACTS;

async function exchange(path: string, messages: readonly string[]): Promise<string[]> {
  const fd = connectSeqpacket(path);
  const answers: string[] = [];
  const into = Buffer.alloc(8192);
  for (const message of messages) {
    if (sendPacket(fd, Buffer.from(message)) === 'closed') break;
    let packet = receivePacket(fd, into, false);
    while (packet === null) {
      await new Promise((resolve) => setImmediate(resolve));
      packet = receivePacket(fd, into, false);
    }
    if (packet === 'closed') break;
    answers.push(into.toString('utf8', 0, packet.length));
  }
  closeSync(fd);
  return answers;
}

/** The workers of one server. */
export class TakenOver {
  readonly #folder: string;

  /** `folder` is made. */
  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder);
    chmodSync(folder, 0o777);
  }

  /** Command prefix for the server. */
  get prefix(): readonly string[] {
    return ['env', `${VARIABLE}=${this.#folder}`, `NODE_OPTIONS=--import=${fileURLToPath(import.meta.url)}`];
  }

  /** Returns a function that has the worker `pid` do something. */
  worker(pid: number) {
    return async <A extends Act>(act: A, ...args: Parameters<(typeof ACTS)[A]>): Promise<Result> =>
      this.#act(pid, act, args);
  }

  async #act(pid: number, act: Act, args: readonly unknown[]): Promise<Result> {
    const socket = connect(join(this.#folder, String(pid)));
    await once(socket, 'connect');
    socket.end(JSON.stringify({ act, args }));
    let text = '';
    for await (const chunk of socket.setEncoding('utf8')) text += String(chunk);
    return JSON.parse(text) as Result;
  }
}

async function perform(text: string): Promise<Result> {
  const { act, args } = JSON.parse(text) as { readonly act: Act; readonly args: readonly never[] };
  try {
    return await (ACTS[act] as (...all: readonly never[]) => Result | Promise<Result>)(...args);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

const folder = process.env[VARIABLE];
if (folder !== undefined && existsSync(folder) && process.argv[1]?.endsWith('ctrl/main.cjs') === true) {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    socket.on('end', () => void perform(text).then((result) => socket.end(JSON.stringify(result))));
  });
  server.listen(join(folder, String(process.pid)));
  server.unref();
}
