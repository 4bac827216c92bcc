/** `pptpd-ts kick` by each name of a session: the client is notified, others stay, the log has the reason. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from './support/client.js';
import { forBothEngines } from './support/engines.js';
import { enterNamespace } from './support/netns.js';
import { Running } from './support/running.js';
import { CLIENT_ADDRESSES, SERVER_ADDRESS, startServer } from './support/server.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

forBothEngines((engine) => {
  test('by client address, tunnel address and id; the others stay', async (t) => {
    const server = await engine.startServer(t);
    const [first, second, third] = CLIENT_ADDRESSES;
    const tunnel = await engine.loggedIn(t, 'alice', first);
    const inTunnel = await Client.start(second);
    const stays = await Client.start(third);
    const states = await server.sessions();
    const at = (address: string) => states.find(({ peer }) => peer.address === address);

    const byClient = new Running(server, 'kick', first, '--reason', 'to be moved');
    assert.equal(await byClient.ended(), 0, byClient.words);
    assert.equal(byClient.output, `session ${at(first)?.session} (alice, ${first}) has ended\n`);
    assert.equal((await tunnel.client.next('CallDisconnectNotify')).resultCode, 3);
    assert.equal((await tunnel.client.next('StopControlConnectionRequest')).reason, 3);
    const line = await server.waitForLog('the reason', ({ reason }) => reason === 'kicked');
    assert.equal(line['detail'], 'to be moved');

    const byTunnel = new Running(server, 'kick', at(second)?.tunnel.remote ?? '', '--json');
    assert.equal(await byTunnel.ended(), 0, byTunnel.words);
    assert.deepEqual(JSON.parse(byTunnel.output), {
      kicked: [{ session: at(second)?.session, user: null, client: second, failure: null }],
      nobody: [],
    });
    await inTunnel.closed;

    await stays.echo();
    const byId = new Running(server, 'kick', at(third)?.session ?? '', 'nobody');
    assert.equal(await byId.ended(), 1, 'one of the two was not there');
    assert.match(byId.output, /has ended/);
    assert.equal(byId.words, 'pptpd-ts: no session matches nobody\n');
    await stays.closed;
    assert.deepEqual(await server.sessions(), []);
  });

  test('sessions can be kicked after the manager was killed', async (t) => {
    const server = await engine.startServer(t);
    const client = await Client.start();
    server.signal('SIGKILL');
    await server.exited();
    const command = new Running(server, 'kick', CLIENT_ADDRESSES[0]);
    assert.equal(await command.ended(), 0, command.words);
    await client.closed;
    server.start();
    await server.ready();
  });
});

test('a reason of more than one line is a usage error', async (t) => {
  const server = await startServer(t);
  const command = new Running(server, 'kick', 'alice', '--reason', 'one\ntwo');
  assert.equal(await command.ended(), 2);
  assert.match(command.words, /one line/);
});
