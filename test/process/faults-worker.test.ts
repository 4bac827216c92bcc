/** A ctrl worker is killed or stopped at each stage of its session: its client alone is lost, or waits. See support/fault-cell.ts. */
import { START } from './support/client.js';
import { leave, testStages } from './support/fault-cell.js';
import { enterNamespace } from './support/netns.js';
import { CLIENT_ADDRESSES, SERVER_ADDRESS } from './support/server.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

testStages('worker, kill -9: its client is closed', {
  strike: async (cell, reached) => {
    process.kill(await cell.worker(), 'SIGKILL');
    if (cell.stage === 'before the handoff') {
      reached.client.send(START);
      await reached.client.next('StartControlConnectionReply');
      reached.client.end();
    }
    await reached.client.closed;
  },
});

testStages('worker, kill -STOP: its client waits', {
  strike: async (cell, reached) => {
    const worker = await cell.worker();
    process.kill(worker, 'SIGSTOP');
    await cell.assertBystanderWell();
    if (cell.stage === 'before the handoff') {
      // It gets the client, does not say so, and is given up for another.
      reached.client.send(START);
      await reached.client.next('StartControlConnectionReply');
      reached.client.end();
      await reached.client.closed;
      return;
    }
    process.kill(worker, 'SIGCONT');
    await reached.goesOn?.();
    await leave(reached);
  },
});
