/**
 * The service manager's side of sd_notify(3): a unix datagram socket, which Node cannot create. It reports every
 * datagram with its sender according to the kernel, which is what systemd's NotifyAccess=main checks.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { Arrivals } from './wait.js';

const PROGRAM = `
import json, socket, struct, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
name = sys.argv[1]
receiver.bind("\\0" + name[1:] if name.startswith("@") else name)
print(json.dumps({"pid": 0, "words": []}), flush=True)
while sys.argv[2] == "reads":
    text, ancillary, _, _ = receiver.recvmsg(65536, socket.CMSG_SPACE(12))
    pid = struct.unpack("3i", ancillary[0][2])[0]
    print(json.dumps({"pid": pid, "words": text.decode().rstrip("\\n").split("\\n")}), flush=True)
sys.stdin.read()
`;

export interface Notification {
  readonly pid: number;
  /** The assignments, such as READY=1. */
  readonly words: readonly string[];
}

export class NotifySocket {
  readonly said = new Arrivals<Notification>();
  readonly #process: ChildProcess;

  private constructor(name: string, reads: boolean) {
    const child = spawn('python3', ['-c', PROGRAM, name, reads ? 'reads' : 'is deaf'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#process = child;
    createInterface(child.stdout).on('line', (line) => {
      const notification: Notification = JSON.parse(line);
      this.said.add(notification);
    });
    child.once('exit', () => this.said.end('the notification socket is closed'));
  }

  /** Call it before the server is started, so that it is closed before leftover processes are looked for. */
  static async open(t: TestContext, name: string, { reads = true } = {}): Promise<NotifySocket> {
    const socket = new NotifySocket(name, reads);
    t.after(async () => {
      const closed = once(socket.#process, 'close');
      socket.#process.kill();
      await closed;
    });
    await socket.said.next('notification socket');
    return socket;
  }

  /** The next notification that contains `word`; earlier ones are skipped. */
  async next(word: RegExp | string): Promise<Notification> {
    return this.said.next(`notification ${String(word)}`, ({ words }) =>
      words.some((each) => (typeof word === 'string' ? each === word : word.test(each))),
    );
  }
}
