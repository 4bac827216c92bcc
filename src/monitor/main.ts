/** The monitor's entry, supervisor and monitor; see monitor-process. */
import { fileURLToPath } from 'node:url';
import { openTunDevice } from '../sys/tun-device.js';
import { runMonitorProcess } from './monitor-process.js';
import { verifyLogin } from './verifier.js';

runMonitorProcess(fileURLToPath(import.meta.url), process.argv.slice(2), { verify: verifyLogin, openTunDevice });
