import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { readRootRequest } from '../../../src/console/protocol.js';
import { RootConnection, RootRefusal } from '../../../src/console/root-requests.js';

/** Two ends of a connection. */
function pair(): [Duplex, Duplex] {
  const make = (): Duplex =>
    new Duplex({
      read: () => undefined,
      write: (chunk, _encoding, done) => {
        other(end).push(chunk);
        done();
      },
      final: (done) => {
        other(end).push(null);
        done();
      },
    });
  const end = make();
  const far = new Duplex({
    read: () => undefined,
    write: (chunk, _encoding, done) => {
      end.push(chunk);
      done();
    },
  });
  const other = (which: Duplex): Duplex => (which === end ? far : end);
  return [end, far];
}

test('a certificate is renewed as often as the monitor says so, also before there is a server to use it', async () => {
  const [connection, root] = pair();
  const client = new RootConnection(connection, () => undefined);
  const renewal = (certificate: string): string => `${JSON.stringify({ renewed: { certificate, key: 'key' } })}\n`;
  root.write(`{"address":"127.0.0.1"}\n${renewal('first')}`);
  await client.settings;
  const used: string[] = [];
  client.onRenewed(({ certificate }) => used.push(certificate));
  assert.deepEqual(used, ['first']);
  root.write(renewal('second'));
  assert.deepEqual(used, ['first', 'second']);
});

test('the first line is the settings; answers find their requests in any order; nonsense is ignored', async () => {
  const [connection, root] = pair();
  const asked: string[] = [];
  root.setEncoding('utf8').on('data', (text: string) => asked.push(...text.trim().split('\n')));
  const client = new RootConnection(connection, () => undefined);
  root.write('{"address":"127.0.0.1"}\n');
  assert.deepEqual(await client.settings, { address: '127.0.0.1' });
  const [first, second] = [client.ask({ ask: 'consoleUser', name: 'alice' }), client.ask({ ask: 'doctor' })];
  root.write('{"id":2,"ok":false,"kind":"failed","error":"no doctor"}\n{"id":99,"ok":true,"result":1}\n{"a":1}\n');
  root.write('{"id":1,"ok":true,"result":null}\n');
  await assert.rejects(second, new RootRefusal('failed', 'no doctor'));
  assert.equal(await first, null);
  assert.deepEqual(
    asked.map((line) => JSON.parse(line)),
    [
      { id: 1, ask: 'consoleUser', name: 'alice' },
      { id: 2, ask: 'doctor' },
    ],
  );
});

test('the end of the connection is told once', async () => {
  const [connection, root] = pair();
  await new Promise<void>((resolve) => {
    const client = new RootConnection(connection, resolve);
    assert.ok(client);
    root.write('no JSON\n');
  });
});

const requests: [line: unknown, isRequest: boolean][] = [
  [{ id: 1, ask: 'doctor' }, true],
  [{ id: 1, ask: 'users', request: 'anything: checked by what works on it' }, true],
  [{ id: 1, ask: 'consoleUser', name: 'alice' }, true],
  [{ id: 1, ask: 'consoleToken', hash: 'a'.repeat(64) }, true],
  [{ id: 1.5, ask: 'doctor' }, false],
  [{ ask: 'doctor' }, false],
  [{ id: 1, ask: 'run', command: 'sh' }, false],
  [{ id: 1, ask: 'constructor' }, false],
  [{ id: 1, ask: 'consoleUser', name: 'x'.repeat(256) }, false],
  [{ id: 1, ask: 'consoleUser', name: ['alice'] }, false],
  [{ id: 1, ask: 'consoleToken', hash: '../etc/passwd' }, false],
  [null, false],
  ['doctor', false],
  [[], false],
];
for (const [line, isRequest] of requests) {
  test(`${JSON.stringify(line).slice(0, 60)} is ${isRequest ? 'a' : 'no'} request to root`, () => {
    assert.equal(readRootRequest(line) !== null, isRequest);
  });
}
