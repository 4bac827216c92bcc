/** The manager is killed or stopped at each stage of a session: sessions need none. See support/fault-cell.ts. */
import { START } from './support/client.js';
import { leave, testStages } from './support/fault-cell.js';
import { enterNamespace } from './support/netns.js';
import { CLIENT_ADDRESSES, SERVER_ADDRESS } from './support/server.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

testStages('manager, kill -9: sessions go on, the next manager has them', {
  strike: async (cell, reached) => {
    cell.server.signal('SIGKILL');
    await cell.server.exited();
    await cell.assertBystanderWell();
    await reached.goesOn?.();
    if (cell.stage === 'before the handoff') await reached.client.closed;
    cell.managerIsNew();
    cell.server.start();
    await cell.server.ready();
    await reached.goesOn?.();
    await leave(reached);
  },
});

testStages('manager, kill -STOP: sessions go on, newcomers wait', {
  strike: async (cell, reached) => {
    cell.server.signal('SIGSTOP');
    await cell.assertBystanderWell();
    await reached.goesOn?.();
    if (cell.stage === 'before the handoff') reached.client.send(START);
    cell.server.signal('SIGCONT');
    if (cell.stage === 'before the handoff') {
      await reached.client.next('StartControlConnectionReply');
      reached.client.end();
      await reached.client.closed;
    }
    await leave(reached);
  },
});
