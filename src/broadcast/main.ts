/**
 * Entry point of the broadcast relay. The manager starts and stops it; it also exits when the manager dies. Arguments:
 * the LAN interface, the log level and, optionally, the log directory.
 *
 * Exit codes: 0 stopped by the manager, or the manager is gone; 1 the relay cannot work; 2 wrong usage.
 */
import { openLog } from '../log/logger.js';
import { messageOf } from '../sys/thrown.js';
import { BroadcastRelay } from './broadcast-relay.js';

const [lan, level, directory] = process.argv.slice(2);
if (lan === undefined || level === undefined || process.send === undefined) {
  process.stderr.write(
    'pptpd-ts: only the manager starts the broadcast relay; set broadcastRelay in the configuration\n',
  );
  process.exit(2);
}
// The manager stopped it while it was starting.
if (!process.connected) process.exit(0);
process.title = 'pptpd-ts broadcast relay';
const processLog = openLog('broadcast', { level, directory, file: 'broadcast.log' });
const { log } = processLog;
// The manager sends a single message: the log files were rotated.
process.on('message', () => processLog.reopen());
try {
  const relay = new BroadcastRelay(lan, log);
  process.on('disconnect', () => {
    relay.close();
    process.exit(0);
  });
  log.info({ interface: lan }, `relaying broadcasts between ${lan} and the tunnels`);
} catch (error) {
  log.fatal({ err: error }, `cannot relay broadcasts: ${messageOf(error)}`);
  process.exit(1);
}
