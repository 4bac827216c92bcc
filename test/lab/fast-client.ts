/**
 * A client whose data stays in the kernel (link/kernel), so that what is measured through its tunnel is the server's speed and
 * not the client's: pptp-linux and pppd on a pty take most of one processor themselves.
 *
 *     fast-client.js LOCAL USER PASSWORD mppe|plain INTERFACE
 *
 * Calls 192.0.2.1 from LOCAL; the tunnel's interface is named INTERFACE. TERM hangs up. Needs root and a kernel with pptp.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { configurationSchema } from '../../src/config/schema.js';
import { KernelPath } from '../../src/link/kernel/kernel-path.js';
import { responseV2 } from '../../src/mschap/ms-chap-v2.js';
import { ntHash } from '../../src/mschap/password-hash.js';
import { startKeysV2 } from '../../src/mschap/start-keys.js';
import { monotonicMs } from '../../src/sys/clock.js';
import { openKernelTunnel } from '../../src/sys/ppp-device.js';
import { CALL, Client } from '../process/support/client.js';
import { SERVER_ADDRESS } from '../process/support/server.js';
import { Client as Ppp } from '../unit/ppp/engine/peer.js';

const CALL_ID = 0xfa57;
const MRU = 1400;
/** Octets that MPPE adds to a packet. */
const MPPE_OVERHEAD = 4;
/** RFC 2759 §4: where the NT-Response lies in a response. */
const NT_RESPONSE = [24, 48] as const;

const [local = '', user = '', password = '', encryption = '', interfaceName = ''] = process.argv.slice(2);
const isEncrypted = encryption === 'mppe';
const hash = ntHash(password);

const control = await Client.start(local);
control.answersEchoes = true;
control.send({ ...CALL, callId: CALL_ID });
const reply = await control.next('OutgoingCallReply');
if (reply.resultCode !== 1) throw new Error(`the call was refused with error ${reply.errorCode}`);

const path = new KernelPath();
const ppp = new Ppp(
  {
    name: user,
    mru: MRU,
    dns: false,
    eager: false,
    ...(isEncrypted ? {} : { mppe: null, noCcp: true }),
    respond: (challenge) => {
      const response = responseV2({
        ntHash: hash,
        name: Buffer.from(user),
        challenge,
        clientChallenge: randomBytes(16),
      });
      if (isEncrypted) {
        const { send, receive, weak } = startKeysV2(hash, response.subarray(...NT_RESPONSE));
        // The server's keys: ours are the other way round.
        path.setKeys({ send: receive, receive: send, weak });
      }
      return response;
    },
  },
  (length) => randomBytes(length),
);
ppp.onFrame = (frame) => path.send(frame);

let state: 'negotiating' | 'encrypted' | 'up' = 'negotiating';
let timer: NodeJS.Timeout | undefined;

const name = await path.open({
  monitor: {
    openKernel: async (peerCallId: number) =>
      openKernelTunnel({
        localAddress: local,
        localCallId: CALL_ID,
        peerAddress: SERVER_ADDRESS,
        peerCallId,
        device: null,
      }),
  } as never,
  call: {
    configuration: configurationSchema.parse({}),
    peerAddress: SERVER_ADDRESS,
    localAddress: local,
    localCallId: CALL_ID,
    peerCallId: reply.callId,
    peerWindow: reply.receiveWindowSize,
  },
  onEvent: (event) => {
    if (event.type === 'ended') throw new Error(`the data path has ended: ${JSON.stringify(event.cause)}`);
    if (event.type !== 'control' || event.direction === 'toClient') return;
    ppp.recv(Uint8Array.from(event.frame), monotonicMs());
    drive();
  },
});
path.setRequireEncryption(isEncrypted);

/** After every call of PPP. */
function drive(): void {
  if (isEncrypted && state === 'negotiating' && ppp.ccp.isOpen) {
    state = 'encrypted';
    path.encrypt();
  }
  if (state !== 'up' && ppp.ipcp.isOpen) up();
  clearTimeout(timer);
  if (ppp.deadline === null) return;
  const tick = (): void => {
    ppp.tick(monotonicMs());
    drive();
  };
  timer = setTimeout(tick, Math.max(1, ppp.deadline - monotonicMs()));
}

function up(): void {
  state = 'up';
  const { own, peer } = ppp.ipcp.exchange;
  const mtu = MRU - (isEncrypted ? MPPE_OVERHEAD : 0);
  ip(`link set ${name} name ${interfaceName}`);
  ip(`address add ${own.address} peer ${peer.address} dev ${interfaceName}`);
  ip(`link set ${interfaceName} mtu ${mtu} up`);
  path.setNetwork({ client: 1, ipv6: false, mtu });
}

function ip(command: string): void {
  const { status, stderr } = spawnSync('ip', command.split(' '), { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${command}: ${stderr}`);
}

process.on('SIGTERM', () => control.send({ type: 'StopControlConnectionRequest', reason: 1 }));
void control.whenClosed.then(() => process.exit());
ppp.start(monotonicMs());
drive();
