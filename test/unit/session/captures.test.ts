import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { CAPTURED, type CaptureEvent, type Tap } from '../../../src/session/captures.js';
import { SessionClient } from '../../../src/session/client.js';
import { runPaths, sessionSocketPath } from '../../../src/session/paths.js';
import { SessionServer } from '../../../src/session/server.js';

const ID = 'abc123';

interface Served {
  readonly runDirectory: string;
  /** The taps that the session was given, in order. */
  readonly taps: (Tap | null)[];
  readonly server: SessionServer;
}

async function serve(t: TestContext): Promise<Served> {
  const runDirectory = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
  mkdirSync(runPaths(runDirectory).sessions);
  const server = new SessionServer({
    session: ID,
    version: '0.1.0',
    handlers: {
      state: () => null,
      disconnect: () => undefined,
      probe: () => undefined,
      reopenLog: () => undefined,
      limits: () => undefined,
      logLevel: () => undefined,
    },
  });
  const taps: (Tap | null)[] = [];
  server.captures.onDemand = (tap) => taps.push(tap);
  await server.listen(sessionSocketPath(runDirectory, ID));
  t.after(() => {
    server.close();
    rmSync(runDirectory, { recursive: true });
  });
  return { runDirectory, taps, server };
}

/** Connects a reader that collects its events. */
async function read({ runDirectory }: Served): Promise<{ reader: SessionClient; events: CaptureEvent[] }> {
  const reader = await SessionClient.connect(runDirectory, ID);
  const events: CaptureEvent[] = [];
  reader.onCapture = (event) => events.push(event);
  await reader.request('capture', {});
  return { reader, events };
}

function framesOf(events: readonly CaptureEvent[]): string[] {
  return events.flatMap(({ frames, bytes }) => {
    const octets = Buffer.from(bytes, 'base64');
    let at = 0;
    return frames.map(([, kind, length]) => `${CAPTURED[kind]} ${octets.toString('utf8', at, (at += length))}`);
  });
}

/** Waits until `holds` returns true. The test runner's time limit ends a test that hangs. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

test('the relay gets no tap while nobody captures', async (t) => {
  const served = await serve(t);
  assert.equal(served.server.captures.tap, null);
  const one = await read(served);
  const other = await read(served);
  assert.equal(served.taps.length, 1);
  one.reader.close();
  other.reader.close();
  await until(() => served.taps.length === 2);
  assert.deepEqual(served.taps[1], null);
});

test('every reader gets every frame, whole and in order, with the time at which it passed', async (t) => {
  const served = await serve(t);
  const readers = [await read(served), await read(served)];
  const before = Date.now() * 1000;
  const buffer = Buffer.from('LCP');
  served.taps[0]?.('pppToClient', buffer);
  buffer.fill('x'); // the view is valid only during the call
  served.taps[0]?.('controlFromClient', Buffer.from('echo'));
  for (const { events } of readers) {
    await until(() => framesOf(events).length === 2);
    assert.deepEqual(framesOf(events), ['pppToClient LCP', 'controlFromClient echo']);
    const [first = 0, second = 0] = events.flatMap(({ frames }) => frames.map(([time]) => time));
    assert.ok(second >= first);
    // The clocks are read separately, and in milliseconds.
    assert.ok(first >= before - 2000 && first <= Date.now() * 1000 + 2000);
  }
  for (const { reader } of readers) reader.close();
});

test('a slow reader loses frames, learns how many, and gets later frames', async (t) => {
  const served = await serve(t);
  const { reader, events } = await read(served);
  reader.pause();
  const sent = 4000;
  for (let index = 0; index < sent; index += 1) {
    served.taps[0]?.('pppFromClient', Buffer.alloc(1400, index));
    if (index % 100 === 0) await new Promise(setImmediate);
  }
  reader.resume();
  const seen = (): number => events.reduce((sum, { frames, lost }) => sum + frames.length + lost, 0);
  await until(() => seen() === sent);
  const lost = events.reduce((sum, event) => sum + event.lost, 0);
  assert.ok(lost > 0, 'some had to be lost');
  const before = events.length;
  served.taps[0]?.('pppFromClient', Buffer.from('later'));
  await until(() => events.length > before);
  assert.deepEqual(framesOf(events.slice(before)), ['pppFromClient later']);
  reader.close();
});

test('frames captured before the end still arrive', async (t) => {
  const served = await serve(t);
  const { reader, events } = await read(served);
  const closed = new Promise<void>((resolve) => (reader.onClose = () => resolve()));
  served.taps[0]?.('controlToClient', Buffer.from('stop'));
  served.server.close();
  await closed;
  assert.deepEqual(framesOf(events), ['controlToClient stop']);
});

test('the fifth reader is refused with an error message', async (t) => {
  const served = await serve(t);
  const readers = [await read(served), await read(served), await read(served), await read(served)];
  await assert.rejects(read(served), /4 captures of this session are running already/);
  for (const { reader } of readers) reader.close();
});
