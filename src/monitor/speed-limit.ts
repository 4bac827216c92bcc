/**
 * Limits the speed of a session's interface by the kernel's queues (tc-tbf(8)). To the client: a token bucket at the
 * interface. From the client: the interface's packets are passed through an IFB device, which has such a bucket too. A
 * bucket delays packets before it drops any, so TCP keeps close to the limit.
 */
import { ip, type Step, tc } from './iproute.js';
import { helperOf, type Speed, UNLIMITED } from './limited-device.js';

export { type Speed, UNLIMITED };

export const isSameSpeed = (one: Speed, other: Speed): boolean => one.up === other.up && one.down === other.down;

export interface LimitedDevice {
  readonly name: string;
  /** No other interface has had or will have this number. */
  readonly index: number;
}

/** How long a packet may wait in a bucket. */
const LATENCY = '100ms';
/** A bucket is filled once in each tick of the kernel's clock, which is 10 ms at most. */
const FILLS_PER_SECOND = 100;
/** Two packets of any size that a client is sent, octets; super packets are cut. */
const SMALLEST_BURST = 4096;
/** u32 compares none of its bits. */
const EVERY_PACKET = 'protocol all prio 1 u32 match u32 0 0';
/** What a kernel must have. */
export const NEEDED_MODULES = 'sch_tbf; to limit what a client sends also ifb, sch_ingress, cls_u32 and act_mirred';

function bucket(device: string, bits: number): Step {
  const burst = Math.max(SMALLEST_BURST, Math.ceil(bits / 8 / FILLS_PER_SECOND));
  const args = ['tbf', 'rate', `${bits}bit`, 'burst', `${burst}b`, 'latency', LATENCY];
  return tc('qdisc', 'replace', 'dev', device, 'root', ...args);
}

/** What changes the limits of a device. Pure. */
export function stepsFor(device: LimitedDevice, before: Speed, after: Speed): Step[] {
  const { name } = device;
  const helper = helperOf(device);
  const down =
    after.down !== null
      ? [bucket(name, after.down)]
      : before.down === null
        ? []
        : [tc('qdisc', 'del', 'dev', name, 'root')];
  if (after.up === null)
    return before.up === null ? down : [...down, tc('qdisc', 'del', 'dev', name, 'ingress'), ip('link', 'del', helper)];
  if (before.up !== null) return [...down, bucket(helper, after.up)];
  return [
    ...down,
    ip('link', 'add', helper, 'type', 'ifb'),
    ip('link', 'set', helper, 'up'),
    bucket(helper, after.up),
    tc('qdisc', 'add', 'dev', name, 'handle', 'ffff:', 'ingress'),
    tc(...`filter add dev ${name} parent ffff: ${EVERY_PACKET} action mirred egress redirect dev ${helper}`.split(' ')),
  ];
}

/** Removes what does not go with the interface. */
export const stepsAtEnd = (device: LimitedDevice, { up }: Speed): Step[] =>
  up === null ? [] : [ip('link', 'del', helperOf(device))];
