/**
 * The broadcast relay's entry. The manager starts it and ends it; it ends by itself when the manager is gone, however
 * that went. Arguments: the LAN interface, the log level, the log directory if there is one.
 * Exit codes: 0 the manager wanted it so, or is gone; 1 it cannot work here, or no more; 2 called wrongly.
 */
import { openLog } from '../log/logger.js';
import { BroadcastRelay } from './broadcast-relay.js';

const [lan, level, directory] = process.argv.slice(2);
if (lan === undefined || level === undefined || process.send === undefined) {
  process.stderr.write('pptpd-ts: the broadcast relay is started by the manager (configuration key broadcastRelay)\n');
  process.exit(2);
}
// Already told to end while it was starting.
if (!process.connected) process.exit(0);
process.title = 'pptpd-ts broadcast relay';
const processLog = openLog('broadcast', { level, directory, file: 'broadcast.log' });
const { log } = processLog;
// The manager has one thing to say: the log files were rotated.
process.on('message', () => processLog.reopen());
try {
  const relay = new BroadcastRelay(lan, log);
  process.on('disconnect', () => {
    relay.close();
    process.exit(0);
  });
  log.info({ interface: lan }, `relaying broadcasts between ${lan} and the tunnels`);
} catch (error) {
  log.fatal({ err: error }, `broadcasts cannot be relayed: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
