/** pppd is killed or stopped at each stage of its session: the client is told, and pppd is ended and waited for. See support/fault-cell.ts. */
import assert from 'node:assert/strict';
import { leave, testStages } from './support/fault-cell.js';
import { enterNamespace } from './support/netns.js';
import { CLIENT_ADDRESSES, SERVER_ADDRESS } from './support/server.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

testStages('pppd, kill -9: its client is told and closed', {
  not: ['before the handoff', 'connected'],
  strike: async (cell, reached) => {
    process.kill(await cell.pppd(), 'SIGKILL');
    if (cell.stage === 'starting') assert.equal((await reached.client.next('OutgoingCallReply')).errorCode, 6);
    else if (cell.stage !== 'ending') await reached.client.next('CallDisconnectNotify');
    await reached.client.closed;
  },
});

testStages('pppd, kill -STOP: the control connection answers, and pppd is ended with its client', {
  not: ['before the handoff', 'connected'],
  strike: async (cell, reached) => {
    process.kill(await cell.pppd(), 'SIGSTOP');
    if (reached.goesOn !== null) await reached.client.echo();
    await leave(reached);
  },
});
