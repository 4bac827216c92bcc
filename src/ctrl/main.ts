/**
 * The ctrl worker's entry: it reports `ready`, waits for a client, serves it, and reports `ready` again when nothing of that
 * session is left. Only the manager starts it; once it has adopted a client it does not need the manager.
 */
// oxlint-disable-next-line import/no-unassigned-import -- it has to run before the other imports
import './load-native-modules.js';
import type { Socket } from 'node:net';
import { version } from '../host/version.js';
import type { LinkKind, Standby } from '../link/link.js';
import { BuiltinStandby } from '../link/builtin/builtin-standby.js';
import { KernelPath } from '../link/kernel/kernel-path.js';
import { PtyStandby } from '../link/pppd/standby.js';
import { TunPath } from '../link/tun/tun-path.js';
import { ProcessLogs } from '../log/logger.js';
import { MonitorClient } from '../monitor/monitor-client.js';
import { type Handoff, isHandoff } from '../session/handoff.js';
import { peerText } from '../session/lease.js';
import { runPaths, sessionLogName } from '../session/paths.js';
import { SessionServer } from '../session/server.js';
import { REPORT_VERSION, type WorkerReport } from '../session/worker-report.js';
import { closeToOthers } from '../sys/close-to-others.js';
import { SystemCallFailed } from '../sys/libc.js';
import { TUNNEL_REQUESTS } from '../sys/ppp-device.js';
import { refuseSystemCalls } from '../sys/system-call-filter.js';
import { messageOf } from '../sys/thrown.js';
import { collectGarbageSoon } from './collect-garbage.js';
import { LeakCheck } from './leak-check.js';
import { RecordFile } from './record-file.js';
import { Session } from './session.js';

closeToOthers();

/** The worker exits after this time even if something is still open, which is a fault. */
const EXIT_GRACE_MS = 1000;
const IDLE_TITLE = 'pptpd-ts worker';

const logs = new ProcessLogs('ctrl');
let session: Session | undefined;
/** For the call of the next client. */
let standby: Standby | null = null;
let serving = false;
let served = 0;

function report(body: WorkerReport): void {
  // Without a manager no report is needed: the next one reads the run directory.
  if (process.connected) process.send?.(body, () => undefined);
}

/** Arguments of the worker: the kind of its links, and the monitor's socket for the builtin engine (manager/worker). */
const [kind = '', monitorSocket = ''] = process.argv.slice(2);
const connect = (id: string): MonitorClient => new MonitorClient(monitorSocket, id);
const newTunPath = (): TunPath => new TunPath();
const STANDBYS: Readonly<Record<LinkKind, () => Standby>> = {
  pppd: () => new PtyStandby(),
  tun: () => new BuiltinStandby({ connect, path: newTunPath(), newFallback: null }),
  kernel: () => new BuiltinStandby({ connect, path: new KernelPath(), newFallback: newTunPath }),
};
const isLinkKind = (text: string): text is LinkKind => Object.hasOwn(STANDBYS, text);
const linkKind = isLinkKind(kind) ? kind : 'pppd';
const makeStandby = STANDBYS[linkKind];
// pppd is a program of its own, with privileges of its own.
if (linkKind !== 'pppd') limitOurselves();

/** Before there is a client. On a kernel without seccomp the worker serves clients all the same. */
function limitOurselves(): void {
  try {
    refuseSystemCalls(TUNNEL_REQUESTS);
  } catch (error) {
    if (!(error instanceof SystemCallFailed)) throw error;
    process.stderr.write(
      `pptpd-ts: ctrl worker ${process.pid}: ${error.message}, so it keeps system calls that it does not need (seccomp(2))\n`,
    );
  }
}

/** null: none can be made now. The call tries again, and reports the error. */
function newStandby(): Standby | null {
  try {
    return makeStandby();
  } catch {
    return null;
  }
}

function exit(): void {
  if (process.connected) process.disconnect();
  setTimeout(() => process.exit(0), EXIT_GRACE_MS).unref();
}

/** Makes the worker ready again if nothing of the session is left; otherwise the process exits. */
async function over(sessions: number): Promise<void> {
  session = undefined;
  process.title = IDLE_TITLE;
  served += 1;
  const free = served < sessions && (await leakCheck.isClean());
  if (!free || !process.connected) {
    exit();
    return;
  }
  standby = newStandby();
  serving = false;
  report({ type: 'ready', v: REPORT_VERSION });
  collectGarbageSoon();
}

async function adopt(handoff: Handoff, socket: Socket): Promise<void> {
  const processLog = logs.open({
    level: handoff.configuration.log.level,
    directory: handoff.configuration.log.directory,
    file: sessionLogName(handoff.session),
    outage: runPaths(handoff.configuration.runDirectory).logOutage,
    bindings: { session: handoff.session, peer: peerText(handoff.peer), callId: handoff.lease.callId },
  });
  const { session: id } = handoff;
  const adopted = new Session({
    handoff,
    socket,
    linkKind,
    standby,
    newStandby: makeStandby,
    processLog,
    record: new RecordFile(handoff, processLog.log),
    newServer: (handlers) => new SessionServer({ session: id, version, handlers }),
    onState: (state) => {
      report({ type: 'state', v: REPORT_VERSION, session: id, state });
      collectGarbageSoon();
    },
    onOver: () => {
      processLog.close();
      report({ type: 'over', v: REPORT_VERSION, session: id });
      void over(handoff.configuration.workers.sessions);
    },
  });
  standby = null;
  await adopted.register();
  session = adopted;
  // The client's answer comes first: the manager's work on the report would delay it.
  adopted.start();
  report({ type: 'adopted', v: REPORT_VERSION, session: id });
}

process.on('message', (message: unknown, socket: Socket | undefined) => {
  if (!isHandoff(message) || serving) {
    process.stderr.write(
      `pptpd-ts: ctrl worker ${process.pid}: ignoring a message that is not a handoff, or a second handoff\n`,
    );
    return;
  }
  serving = true;
  const refuse = (why: string): void => {
    report({ type: 'refused', v: REPORT_VERSION, session: message.session, why });
    socket?.destroy();
    exit();
  };
  if (socket === undefined) refuse('the client left before the handoff');
  else adopt(message, socket).catch((error: unknown) => refuse(messageOf(error)));
});
process.on('disconnect', () => {
  if (!serving) process.exit(0);
});
// For an administrator at a shell; the manager uses the session's socket.
process.on('SIGTERM', () => (session === undefined ? process.exit(0) : void session.close({ reason: 'kicked' })));
process.on('SIGINT', () => undefined);
process.on('SIGHUP', () => undefined);

process.title = IDLE_TITLE;
const leakCheck = new LeakCheck();
// The manager may have ended while this process started, which emits no `disconnect`.
if (!process.connected) process.exit(0);
standby = newStandby();
report({ type: 'ready', v: REPORT_VERSION });
collectGarbageSoon();
