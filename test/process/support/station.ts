/**
 * A machine at the other end of a link: a network namespace with one veth interface, a UDP socket that sends and
 * receives, and a TCP server that closes every connection. The namespace ends with its process, and that with the test.
 */
import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { atEnd } from './at-end.js';
import { Arrivals, within } from './wait.js';

export const STATION_PORT = 6000;

/** A datagram that a station has received. */
export interface Word {
  readonly from: string;
  readonly text: string;
}

interface Saying {
  readonly text: string;
  readonly to: string;
}

/** Runs `ip`, in the namespace of process `inside` if given. */
export function ip(command: string, inside?: number): void {
  const enter = inside === undefined ? [] : ['nsenter', '--net', '--target', String(inside)];
  const [program = '', ...args] = [...enter, 'ip', ...command.split(' ')];
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`ip ${command}: ${stderr}`);
}

export class Station {
  readonly heard = new Arrivals<Word>();
  readonly #process: ChildProcess;
  #interface: string | undefined;

  private constructor(child: ChildProcess) {
    this.#process = child;
  }

  /** A station without a link. Create it before the server, which checks at its end for leftover processes. */
  static async start(t: TestContext): Promise<Station> {
    const child = fork(fileURLToPath(import.meta.url), [], {
      execPath: 'unshare',
      execArgv: ['--net', process.execPath],
    });
    const station = new Station(child);
    atEnd(t, () => station.#end());
    await within('the station to be ready', once(child, 'message'));
    child.on('message', (word: Word) => station.heard.add(word));
    return station;
  }

  /**
   * Links it to this namespace by the new interface `name`, which is up but has no address here. `address` is the
   * station's own, with prefix length.
   */
  link(name: string, address: string): void {
    const pid = this.#process.pid ?? 0;
    const far = `${name}-far`;
    ip(`link add ${name} type veth peer name ${far}`);
    this.#interface = name;
    ip(`link set ${far} netns ${pid}`);
    ip(`address add ${address} brd + dev ${far}`, pid);
    ip(`link set ${far} up`, pid);
    ip(`route add default dev ${far}`, pid);
    ip(`link set ${name} up`);
  }

  #end(): void {
    // Otherwise it would disappear some time after its namespace, while the next test needs the same name.
    if (this.#interface !== undefined) ip(`link delete ${this.#interface}`);
    this.#process.kill('SIGKILL');
  }

  /** Sends a UDP datagram. */
  say(text: string, to: string): void {
    const saying: Saying = { text, to };
    this.#process.send(saying);
  }

  async hears(text: string): Promise<Word> {
    return this.heard.find(`"${text}" heard at a station`, (word) => word.text === text);
  }
}

function run(): void {
  // Otherwise the kernel would hide from us our own packets that come back.
  writeFileSync('/proc/sys/net/ipv4/conf/all/accept_local', '1');
  const socket = createSocket('udp4');
  socket.on('message', (data, { address }) => process.send?.({ from: address, text: data.toString() } satisfies Word));
  const server = createServer((connection) => {
    connection.on('error', () => connection.destroy());
    connection.end();
  });
  socket.bind(STATION_PORT, () => {
    socket.setBroadcast(true);
    server.listen(STATION_PORT, () => process.send?.('ready'));
  });
  process.on('message', ({ text, to }: Saying) => socket.send(text, STATION_PORT, to));
  process.on('disconnect', () => process.exit());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) run();
