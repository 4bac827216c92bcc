/** Entry point of the monitor and of its supervisor; monitor-process.ts has the arguments and exit codes. */
import { runMonitorProcess } from './monitor-process.js';

runMonitorProcess(process.argv.slice(2));
