/**
 * Entry point of the console. The monitor starts it without privileges and tells it the settings over descriptor 3; it ends
 * with the monitor. Argument: the log level.
 *
 * Exit codes: 0 the monitor has ended; 1 it cannot listen; 2 wrong usage.
 */
import { randomBytes } from 'node:crypto';
import { fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import { openLog } from '../log/logger.js';
import { monotonicMs } from '../sys/clock.js';
import { closeToOthers } from '../sys/close-to-others.js';
import { messageOf } from '../sys/thrown.js';
import { startConsole } from './console.js';
import { RootConnection } from './root-requests.js';

const MONITOR = 3;

const [level] = process.argv.slice(2);
if (level === undefined || !isSocket(MONITOR)) {
  process.stderr.write('pptpd-ts: only the monitor can start the console; remedy: set console in the configuration\n');
  process.exit(2);
}
process.title = 'pptpd-ts console';
closeToOthers();
const { log } = openLog('console', { level, file: 'console.log' });

function isSocket(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isSocket();
  } catch {
    return false;
  }
}

const root = new RootConnection(new Socket({ fd: MONITOR }), () => process.exit(0));
const settings = await root.settings;
try {
  await startConsole({ settings, root, log, now: monotonicMs, random: randomBytes });
} catch (error) {
  log.error({ err: error }, `the console cannot listen: ${messageOf(error)}`);
  process.exit(1);
}
