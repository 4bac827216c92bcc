/**
 * The two namespaces of a run: the server's, and the clients' for TCP. Each has one TUN device whose other end is the
 * load generator's; there is no other way between them. The server's has another one, behind which a host is. Names carry the process id; `close` removes all.
 */
import { execFileSync } from 'node:child_process';

export const SERVER_ADDRESS = '192.0.2.1';
/** Any address of it is a client's. */
const CLIENTS = '198.51.100.0/24';
/** A host behind the server, to which it forwards what comes out of a tunnel. */
export const INSIDE_ADDRESS = '192.0.2.129';
/** A burst while the generator does not run is no loss. */
const QUEUE = '10000';

const ip = (...command: readonly string[]): void => {
  execFileSync('ip', command, { stdio: ['ignore', 'ignore', 'inherit'] });
};

export class Network {
  readonly server = `ptb-${process.pid}-server`;
  readonly clients = `ptb-${process.pid}-clients`;
  readonly #made: string[] = [];

  constructor() {
    this.#make(this.server, 'server');
    this.#make(this.clients, 'clients');
    ip('-n', this.server, 'address', 'add', `${SERVER_ADDRESS}/32`, 'dev', 'lo');
    ip('-n', this.server, 'route', 'add', CLIENTS, 'dev', 'server', 'src', SERVER_ADDRESS);
    this.#makeDevice(this.server, 'inside');
    ip('-n', this.server, 'route', 'add', INSIDE_ADDRESS, 'dev', 'inside');
    ip('netns', 'exec', this.server, 'sysctl', '-q', '-w', 'net.ipv4.ip_forward=1');
    ip('-n', this.clients, 'route', 'add', 'local', CLIENTS, 'dev', 'lo');
    ip('-n', this.clients, 'route', 'add', SERVER_ADDRESS, 'dev', 'clients');
  }

  /**
   * Kills what is left in the server's namespace. Processes of a session may outlive their server: the generator takes
   * the way of the client's last words with it when it ends.
   */
  killServer(): void {
    const pids = execFileSync('ip', ['netns', 'pids', this.server], { encoding: 'utf8' });
    for (const pid of pids.split('\n').filter((line) => line !== '')) {
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch (error) {
        // It has ended meanwhile.
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
  }

  close(): void {
    if (this.#made.includes(this.server)) this.killServer();
    for (const name of this.#made.splice(0)) ip('netns', 'del', name);
  }

  #make(name: string, device: string): void {
    ip('netns', 'add', name);
    this.#made.push(name);
    ip('-n', name, 'link', 'set', 'lo', 'up');
    this.#makeDevice(name, device);
  }

  #makeDevice(name: string, device: string): void {
    ip('-n', name, 'tuntap', 'add', 'mode', 'tun', 'name', device);
    ip('-n', name, 'link', 'set', device, 'txqueuelen', QUEUE, 'up');
    // The usual queue in front of the device's own may change the order of packets.
    ip('netns', 'exec', name, 'tc', 'qdisc', 'replace', 'dev', device, 'root', 'noqueue');
  }
}
