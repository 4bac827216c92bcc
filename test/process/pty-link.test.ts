/**
 * A link whose pty cannot be read any more while pppd lives: with a real pty and a real relay, but without a process. The
 * session must not go on without a path for its frames.
 */
import assert from 'node:assert/strict';
import { constants } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { configurationSchema } from '../../src/config/schema.js';
import { explain } from '../../src/ctrl/explain.js';
import { endOfLink } from '../../src/ctrl/session-end.js';
import { PacketBuffers } from '../../src/gre/packet-buffers.js';
import type { EndCause } from '../../src/link/end-cause.js';
import type { LinkEvent } from '../../src/link/link.js';
import type { PppdExit } from '../../src/link/pppd/pppd-process.js';
import { PtyLink } from '../../src/link/pppd/pty-link.js';
import { PtyPort } from '../../src/link/pppd/pty-port.js';
import { SharedMemory } from '../../src/sys/shared-memory.js';
import { enterNamespace } from './support/netns.js';
import { PtyEnd } from './support/pty-end.js';
import { LIMIT_MS, until } from './support/wait.js';

const SERVER = '192.0.2.1';
const CLIENT = '192.0.2.2';
/** Time for pppd to exit, seconds. */
const EXIT_SECONDS = 30;
const LCP_REQUEST = Buffer.from('ff03c0210101000a0506deadbeef', 'hex');

enterNamespace(SERVER, CLIENT);

/** `until`, while the test moves the clock. */
async function soon(what: string, look: () => boolean): Promise<void> {
  const limit = performance.now() + LIMIT_MS;
  while (!look()) {
    assert(performance.now() < limit, `waited in vain for ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

class WatchedPort extends PtyPort {
  isClosed = false;

  override close(): void {
    super.close();
    this.isClosed = true;
  }
}

class Fixture {
  readonly pty: PtyEnd;
  readonly link: PtyLink;
  readonly port: WatchedPort;
  readonly events: LinkEvent[] = [];
  exit: (exit: PppdExit) => void = () => undefined;

  constructor(t: TestContext, access?: number) {
    this.pty = new PtyEnd(access);
    const exited = new Promise<PppdExit>((resolve) => (this.exit = resolve));
    const buffers = new PacketBuffers(new SharedMemory());
    this.port = new WatchedPort(buffers.memory, buffers);
    this.link = new PtyLink(
      {
        configuration: configurationSchema.parse({}),
        session: 'abc123',
        tunnel: { local: null, remote: null },
        peerAddress: CLIENT,
        localAddress: SERVER,
        localCallId: 1,
        peerCallId: 2,
        peerWindow: 64,
        onEvent: (event) => this.events.push(event),
      },
      {
        pppd: {
          fd: this.pty.master,
          identity: null,
          pid: 0,
          start: () => undefined,
          exited: async () => exited,
          hangUp: () => undefined,
          end: async () => exited,
        },
        buffers,
        port: this.port,
      },
    );
    this.link.start();
    t.after(async () => {
      t.mock.timers.reset();
      this.exit({ code: 0, signal: 0 });
      await this.link.close({ peerGone: true });
      this.pty.close();
    });
  }

  get ends(): EndCause[] {
    return this.events.flatMap((event) => (event.type === 'ended' ? [event.cause] : []));
  }

  /** pppd sends its first frame and closes the pty; from then on only the test moves the clock. */
  async closePty(t: TestContext): Promise<void> {
    this.pty.makeRaw();
    await this.pty.send(LCP_REQUEST);
    await until('the first frame', () => this.link.counters()?.txPackets === 1);
    t.mock.timers.enable({ apis: ['setTimeout'] });
    this.pty.hangUp();
    await soon('the port to be closed', () => this.port.isClosed);
  }
}

/** The name of the failure that the administrator reads. */
function failureOf(cause: EndCause | undefined): string | undefined {
  assert(cause !== undefined);
  return explain({
    end: endOfLink(cause, true),
    peer: CLIENT,
    local: SERVER,
    seconds: 60,
    link: 'pppd',
    ppp: null,
    counters: null,
    tunnelPackets: 0,
    configuration: configurationSchema.parse({}),
  })?.cause;
}

test('the pty is closed and pppd does not exit: the link ends after a time', async (t) => {
  const fixture = new Fixture(t);
  await fixture.closePty(t);
  t.mock.timers.tick(EXIT_SECONDS * 1000 - 1);
  assert.deepEqual(fixture.ends, []);
  t.mock.timers.tick(1);
  assert.deepEqual(fixture.ends, [{ kind: 'ptyClosed', seconds: EXIT_SECONDS }]);
  assert.equal(failureOf(fixture.ends[0]), 'ptyFailed');
});

test('the pty is closed and pppd exits: the link ends with its exit code', async (t) => {
  const fixture = new Fixture(t);
  await fixture.closePty(t);
  fixture.exit({ code: 16, signal: 0 });
  await soon('the end', () => fixture.ends.length > 0);
  t.mock.timers.tick(EXIT_SECONDS * 1000);
  assert.deepEqual(fixture.ends, [{ kind: 'exit', code: 16, words: '', complaint: null }]);
});

test('the pty is closed and the link is closed: no event follows', async (t) => {
  const fixture = new Fixture(t);
  await fixture.closePty(t);
  fixture.exit({ code: 5, signal: 0 });
  await fixture.link.close({ peerGone: true });
  t.mock.timers.tick(EXIT_SECONDS * 1000);
  assert.deepEqual(fixture.ends, []);
});

test('the system refuses to read the pty: the link ends at once', async (t) => {
  const fixture = new Fixture(t, constants.O_WRONLY);
  await fixture.pty.write(Buffer.from('7e', 'hex'));
  await until('the end', () => fixture.ends.length > 0);
  assert.deepEqual(fixture.ends, [{ kind: 'ptyUnreadable', problem: 'EBADF' }]);
  assert.equal(failureOf(fixture.ends[0]), 'ptyFailed');
});
