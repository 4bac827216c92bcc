/** What the manager's own socket answers: to requests, to nonsense, and when it closes. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ManagerSocket } from '../../../src/manager/manager-socket.js';
import { settled } from '../ctrl/client-socket.js';
import { Sockets } from './a-session.js';

/** A manager's socket, and somebody who has connected to it. */
function fixture(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'manager.sock');
  const unblocked: unknown[] = [];
  const socket = new ManagerSocket(path, {
    status: () => ({ pid: 17 }),
    reload: () => {
      throw new Error('the disk is full');
    },
    blocks: () => ({ blocks: [] }),
    unblock: (fields) => unblocked.push(fields),
  });
  const sockets = new Sockets();
  sockets.listen(path, (connection) => socket.serve(connection));
  const connection = sockets.connect(path);
  let answers = '';
  connection.setEncoding('utf8').on('data', (chunk: string) => (answers += chunk));
  return {
    socket,
    connection,
    unblocked,
    /** What it answers to this text. */
    ask: async (text: string): Promise<unknown[]> => {
      connection.write(text);
      await settled();
      const lines = answers.split('\n').filter((line) => line !== '');
      answers = '';
      return lines.map((line) => JSON.parse(line) as unknown);
    },
  };
}

test('a request is answered under its own number, with what its handler returns', async (t) => {
  const { ask, unblocked } = fixture(t);
  assert.deepEqual(await ask('{"id":1,"op":"status"}\n{"id":2,"op":"blocks"}\n'), [
    { id: 1, ok: true, result: { pid: 17 } },
    { id: 2, ok: true, result: { blocks: [] } },
  ]);
  const unblock = { id: 3, op: 'unblock', address: '198.51.100.7' };
  assert.deepEqual(await ask(`${JSON.stringify(unblock)}\n`), [{ id: 3, ok: true, result: 1 }]);
  assert.deepEqual(unblocked, [unblock]);
});

test('a handler that fails is an answer with its words', async (t) => {
  const { ask } = fixture(t);
  assert.deepEqual(await ask('{"id":7,"op":"reload"}\n'), [{ id: 7, ok: false, error: 'the disk is full' }]);
});

for (const op of ['reboot', 'constructor', '__proto__']) {
  test(`the operation ${op} is unknown; those that are known are named`, async (t) => {
    const { ask } = fixture(t);
    const error = 'unknown operation; known operations: status, reload, blocks, unblock';
    assert.deepEqual(await ask(`{"id":7,"op":"${op}"}\n`), [{ id: 7, ok: false, error }]);
  });
}

for (const text of ['{"id":7}', '{"op":"status"}', '[]', 'null', '"status"']) {
  test(`${text} is no request, and the next one is answered all the same`, async (t) => {
    const { ask } = fixture(t);
    assert.deepEqual(await ask(`${text}\n{"id":1,"op":"status"}\n`), [
      { id: 0, ok: false, error: 'a request must have the fields id and op' },
      { id: 1, ok: true, result: { pid: 17 } },
    ]);
  });
}

test('who sends no JSON loses its connection', async (t) => {
  const { ask, connection } = fixture(t);
  assert.deepEqual(await ask('status\n{"id":1,"op":"status"}\n'), []);
  assert.equal(connection.destroyed, true);
});

test('closing ends every connection behind its answers', async (t) => {
  const { socket, ask, connection } = fixture(t);
  connection.write('{"id":1,"op":"status"}\n');
  await settled();
  socket.close();
  assert.deepEqual(await ask(''), [{ id: 1, ok: true, result: { pid: 17 } }]);
  assert.equal(connection.destroyed, true);
});
