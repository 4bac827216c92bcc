/**
 * Debian's pptpd as the judge of one configuration file: whether it starts, and what it would do for its clients. Its
 * pptpctrl, which it starts for each of them, is replaced by one that tells the client its arguments and stays. Needs a
 * namespace of its own (netns.ts): programs and folders of the system are covered by mounts, which go with it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from '../../../src/pptp/index.js';
import { START } from './client.js';
import { namespaceProcesses } from './netns.js';
import { Arrivals, until } from './wait.js';

const PPTPD = '/usr/sbin/pptpd';
const PPTPCTRL = '/usr/sbin/pptpctrl';
const BCRELAY = '/usr/sbin/bcrelay';
const PORT = 1723;
const END_OF_ARGUMENTS = '\u0001';
const FAKE_PPTPCTRL = `#!/bin/sh\nprintf '%s\\0' "$@" >&0\nprintf '\\001' >&0\nread _\n`;

/** More clients than pptpd serves by default: one that serves so many has no limit. */
const MAX_CLIENTS = 105;

/** What pptpd makes of its file. */
export interface Use {
  /** Where it listens. */
  readonly listen: string;
  /** For one client after the other, `local>remote`; `pppd` where pppd chooses. */
  readonly pairs: readonly string[];
  /** How many clients it serves at once; null: as many as come. */
  readonly most: number | null;
  readonly debug: boolean;
  readonly ipparam: boolean;
  readonly options: string | null;
  readonly speed: number;
  readonly pppd: string;
  readonly logwtmp: boolean;
  /** The device whose broadcasts it relays, if this network has it. */
  readonly relay: string | null;
  readonly pid: number;
}

/** Whose habits import follows; other versions read their file otherwise. */
const VERSION = '1.4.0';

/** Why there can be no judge here; null when there can. */
export function whyNoPptpd(): string | null {
  if (![PPTPD, PPTPCTRL, BCRELAY].every((path) => existsSync(path))) {
    return 'pptpd and bcrelay are not installed: apt-get install pptpd bcrelay';
  }
  const version = spawnSync(PPTPD, ['--version'], { encoding: 'utf8' }).stdout.trim();
  return version === `pptpd v${VERSION}` ? null : `it compares with pptpd ${VERSION}, and this machine has ${version}`;
}

export class Pptpd {
  readonly #directory = mkdtempSync(join(tmpdir(), 'pptpd-ts-judge-'));
  readonly #file = join(this.#directory, 'pptpd.conf');
  readonly #logServer: Server;
  /** What the pptpd of the moment has said to syslog. */
  #words = new Arrivals<string>();

  private constructor() {
    this.#logServer = createServer((socket) => {
      let pending = '';
      socket.setEncoding('latin1').on('data', (chunk: string) => {
        const messages = (pending + chunk).split('\0');
        pending = messages.pop() ?? '';
        for (const message of messages) this.#words.add(message.replace(/^.*?\]: |\n$/gs, ''));
      });
    });
  }

  /** `hosts`: the file that host names are looked up in. */
  static async open(hosts: string): Promise<Pptpd> {
    const judge = new Pptpd();
    const place = (name: string, text: string, mode = 0o644): string => {
      const path = join(judge.#directory, name);
      writeFileSync(path, text, { mode });
      return path;
    };
    const device = join(judge.#directory, 'dev');
    mkdirSync(device);
    writeFileSync(join(device, 'null'), '');
    const log = join(judge.#directory, 'log');
    symlinkSync(log, join(device, 'log'));
    judge.#logServer.listen(log);
    await once(judge.#logServer, 'listening');
    mount('--bind', '/dev/null', join(device, 'null'));
    mount('--rbind', device, '/dev');
    mount('-t', 'tmpfs', 'tmpfs', '/run');
    mount('--bind', place('hosts', hosts), '/etc/hosts');
    mount('--bind', place('pptpctrl', FAKE_PPTPCTRL, 0o755), PPTPCTRL);
    mount('--bind', place('bcrelay', '#!/bin/sh\n', 0o755), BCRELAY);
    // libwrap's rules are the machine's own.
    for (const path of ['/etc/hosts.allow', '/etc/hosts.deny'])
      if (existsSync(path)) mount('--bind', '/dev/null', path);
    return judge;
  }

  close(): void {
    this.#logServer.close();
    for (const path of ['/dev', join(this.#directory, 'dev', 'null')]) umount(path);
    rmSync(this.#directory, { recursive: true });
  }

  /**
   * What pptpd does with this file; null when it does not start. `look` is called while it runs, and `words` is what it
   * has said.
   */
  async observe(
    file: string | Uint8Array,
    args: readonly string[],
    look: (use: Use) => void = () => undefined,
  ): Promise<{ readonly use: Use | null; readonly words: readonly string[] }> {
    writeFileSync(this.#file, file);
    const words = new Arrivals<string>();
    this.#words = words;
    // In / like a service: a relative path is meant to be one from there.
    const child = spawn(PPTPD, ['-f', '-c', this.#file, ...args], { stdio: 'ignore', cwd: '/' });
    const exited = once(child, 'exit');
    const clients: Socket[] = [];
    try {
      const listen = await until('pptpd to listen or to end', () =>
        child.exitCode !== null || child.signalCode !== null ? null : listeningAddress(),
      );
      if (listen === null) return { use: null, words: words.all };
      const full = words.find('word of a full server', (line) => line.startsWith('MGR: No free connection slots'));
      full.catch(() => undefined);
      const launches: Launch[] = [];
      let isLimited = false;
      while (!isLimited && launches.length < MAX_CLIENTS) {
        const launch = await serve(listen, clients, full);
        if (launch === null) isLimited = true;
        else launches.push(launch);
      }
      const use = useOf(listen, launches, isLimited, words.all, child.pid ?? 0);
      look(use);
      return { use, words: words.all };
    } finally {
      for (const socket of clients) socket.destroy();
      child.kill();
      await exited;
      words.end('pptpd has ended');
      // What it has started holds its listening socket, too.
      await until('everything of pptpd to be gone', () => namespaceProcesses().length === 0);
    }
  }
}

/** The arguments with which pptpd has one more client served; null when it serves no more. */
async function serve(listen: string, clients: Socket[], full: Promise<unknown>): Promise<Launch | null> {
  const socket = connect(PORT, listen === '0.0.0.0' ? '127.0.0.1' : listen);
  clients.push(socket);
  // When pptpd ends, what it has not accepted is reset.
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  const told = new Promise<string>((resolve) => {
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.endsWith(END_OF_ARGUMENTS)) resolve(text);
    });
  });
  socket.write(encode(START));
  // A full server accepts nobody; but it may be this client that has filled it.
  const isServed = await Promise.race([told.then(() => true), full.then(() => isAccepted(socket.localPort ?? 0))]);
  return isServed ? launchOf((await told).split('\0').slice(0, -1)) : null;
}

interface Launch {
  readonly debug: boolean;
  readonly ipparam: boolean;
  readonly options: string | null;
  readonly speed: string | null;
  readonly local: string | null;
  readonly remote: string | null;
  readonly pppd: string;
  readonly logwtmp: boolean;
}

/**
 * pptpctrl's arguments: flags, values behind a flag that says whether there is one. Null when some are missing: pptpd has
 * more slots than addresses then, and a pptpctrl that is started for one of those ends at once.
 */
function launchOf(words: readonly string[]): Launch | null {
  const left = words.values();
  const next = (): string => left.next().value ?? '';
  const flag = (): boolean => next() === '1';
  const optional = (): string | null => (flag() ? next() : null);
  const [debug, noipparam] = [flag(), flag()];
  const [options, speed, local, remote] = [optional(), optional(), optional(), optional()];
  const [callId, pppd, logwtmp] = [next(), next(), next()];
  if (callId === '' || pppd === '' || logwtmp === '') return null;
  return { debug, ipparam: !noipparam, options, speed, local, remote, pppd, logwtmp: logwtmp === '1' };
}

function useOf(
  listen: string,
  launches: readonly Launch[],
  isLimited: boolean,
  words: readonly string[],
  pid: number,
): Use {
  const [first] = launches;
  if (first === undefined) throw new Error(`pptpd serves nobody: ${words.join('; ')}`);
  const device = /BCrelay incoming interface is (.*)/s.exec(
    words.find((line) => line.startsWith('CTRL: BCrelay')) ?? '',
  );
  const relay = device?.[1] ?? '';
  const addresses = canonical(launches.flatMap(({ local, remote }) => [local ?? '', remote ?? '']));
  return {
    listen,
    pairs: launches.map(({ remote }, index) =>
      remote === null ? 'pppd' : `${addresses[2 * index]}>${addresses[2 * index + 1]}`,
    ),
    most: isLimited ? launches.length : null,
    debug: first.debug,
    ipparam: first.ipparam,
    options: first.options,
    // pptpctrl's own, when it is given none.
    speed: first.speed === null || first.speed === '' ? 115_200 : Number.parseInt(first.speed, 10),
    pppd: first.pppd,
    logwtmp: first.logwtmp,
    relay: Object.hasOwn(networkInterfaces(), relay) ? relay : null,
    pid,
  };
}

/** Written as an address is written; 0 is no octet that could be octal. */
const PLAIN = /^(?:(?:0|[1-9]\d*)\.){3}(?:0|[1-9]\d*)$/;

/** As the C library reads them, and with it pppd, which gets the words as they are. */
function canonical(words: readonly string[]): readonly string[] {
  if (words.every((word) => word === '' || PLAIN.test(word))) return words;
  const program =
    'import json,socket,sys; print(json.dumps([socket.inet_ntoa(socket.inet_aton(w)) if w else "" for w in json.load(sys.stdin)]))';
  const { stdout, stderr, status } = spawnSync('python3', ['-c', program], {
    input: JSON.stringify(words),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${words.join(', ')}: ${stderr}`);
  return JSON.parse(stdout) as string[];
}

interface TcpSocket {
  readonly local: string;
  readonly peer: string;
  readonly isListening: boolean;
  /** 0: no program has it yet. */
  readonly inode: number;
}

/** TCP's sockets of this network. */
function tcpSockets(): TcpSocket[] {
  const [, ...lines] = readFileSync('/proc/net/tcp', 'latin1').trim().split('\n');
  return lines.map((line) => {
    const [, local = '', peer = '', state = '', ...rest] = line.trim().split(/\s+/);
    return { local: endpoint(local), peer: endpoint(peer), isListening: state === '0A', inode: Number(rest[5]) };
  });
}

/** `0100007F:06BB` is `127.0.0.1:1723`. */
function endpoint(hexadecimal: string): string {
  const [address = '', port = ''] = hexadecimal.split(':');
  const octets = (address.match(/../g) ?? []).map((octet) => Number.parseInt(octet, 16));
  return `${octets.toReversed().join('.')}:${Number.parseInt(port, 16)}`;
}

/** Where pptpd listens; undefined while it does not. */
const listeningAddress = (): string | undefined =>
  tcpSockets()
    .find(({ isListening, local }) => isListening && local.endsWith(`:${PORT}`))
    ?.local.replace(/:.*/, '');

/** Whether pptpd has taken the connection that comes from this port. */
const isAccepted = (clientPort: number): boolean =>
  tcpSockets().some(
    ({ local, peer, inode }) => local.endsWith(`:${PORT}`) && peer.endsWith(`:${clientPort}`) && inode !== 0,
  );

function mount(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('mount', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`mount ${args.join(' ')}: ${stderr}`);
}

function umount(path: string): void {
  const { status, stderr } = spawnSync('umount', ['-l', path], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`umount ${path}: ${stderr}`);
}
