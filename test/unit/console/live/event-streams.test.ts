import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { StreamEvent } from '../../../../src/console/api/schemas.js';
import { EventStreams, type StreamReader } from '../../../../src/console/live/event-streams.js';

const gone = (id: string): StreamEvent => ({ event: 'gone', data: { id } });
const always = async (): Promise<boolean> => true;
const SNAPSHOT: StreamEvent = { event: 'snapshot', data: { sessions: [], unreachable: [] } };

function openStreams(t: TestContext): EventStreams {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  const streams = new EventStreams(() => [SNAPSHOT]);
  t.after(() => streams.close());
  return streams;
}

let owners = 0;
const someone = (isStillValid = always): StreamReader => ({ owner: `user ${++owners}`, isStillValid });

function readerOf(streams: EventStreams, isStillValid = always) {
  const stream = streams.open(someone(isStillValid))?.getReader() ?? assert.fail('no stream');
  return {
    cancel: async () => stream.cancel(),
    batch: async (): Promise<unknown> => {
      const { value } = await stream.read();
      const text = new TextDecoder().decode(value);
      const data = /^event: batch\ndata: (.*)\n\n$/.exec(text)?.[1];
      return data === undefined ? text : JSON.parse(data);
    },
  };
}

test('a stream begins with the snapshot, and what happened before does not come after it', async (t) => {
  const streams = openStreams(t);
  const early = readerOf(streams);
  streams.send(gone('abc123'));
  const late = readerOf(streams);
  assert.deepEqual(await late.batch(), [SNAPSHOT]);
  streams.send(gone('def456'));
  t.mock.timers.tick(250);
  assert.deepEqual(await late.batch(), [gone('def456')]);
  assert.deepEqual(await early.batch(), [SNAPSHOT]);
  assert.deepEqual(await early.batch(), [gone('abc123')]);
  assert.deepEqual(await early.batch(), [gone('def456')]);
});

test('a batch has the last state of each session, in the place of the first', async (t) => {
  const streams = openStreams(t);
  const reader = readerOf(streams);
  await reader.batch();
  const users: StreamEvent = { event: 'users', data: {} };
  for (const event of [gone('abc123'), users, gone('def456'), users, gone('abc123')]) streams.send(event);
  t.mock.timers.tick(249);
  streams.send(users);
  t.mock.timers.tick(1);
  assert.deepEqual(await reader.batch(), [gone('abc123'), users, gone('def456')]);
});

test('a reader that falls behind is dropped, and the others go on', async (t) => {
  const streams = openStreams(t);
  const deaf = readerOf(streams);
  const reader = readerOf(streams);
  await reader.batch();
  const large: StreamEvent = { event: 'unreachable', data: { id: 'abc123', why: 'x'.repeat(200_000) } };
  for (let count = 0; count < 4; count += 1) {
    streams.send(large);
    t.mock.timers.tick(250);
    await reader.batch();
  }
  assert.equal(streams.count, 1);
  await assert.rejects(deaf.batch(), /too slow/);
});

test('200 streams at most; a place is free again when a reader leaves', async (t) => {
  const streams = openStreams(t);
  const readers = Array.from({ length: 200 }, () => readerOf(streams));
  assert.equal(streams.open(someone()), null);
  await readers[0]?.cancel();
  assert.notEqual(streams.open(someone()), null);
});

test('one user has 20 streams at most', (t) => {
  const streams = openStreams(t);
  const alice = { owner: 'password alice', isStillValid: always };
  for (let count = 0; count < 20; count += 1) assert.notEqual(streams.open(alice), null);
  assert.equal(streams.open(alice), null);
  assert.notEqual(streams.open({ ...alice, owner: 'token alice' }), null);
});

test('every 15 seconds there is a sign of life, and who may read no longer is dropped', async (t) => {
  const streams = openStreams(t);
  const loggedOut = readerOf(streams, async () => false);
  const reader = readerOf(streams);
  await reader.batch();
  t.mock.timers.tick(15_000);
  assert.equal(await reader.batch(), ': \n\n');
  await assert.rejects(async () => {
    for (;;) await loggedOut.batch();
  }, /may read no longer/);
  assert.equal(streams.count, 1);
});
