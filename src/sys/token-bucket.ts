/** The rate of the token bucket (tc-tbf(8)) at a network interface, from rtnetlink(7): RTM_GETQDISC. Needs no privilege. */
import { attribute, attributesOf, HEADER, newRequest, NLM_F_ACK, NLM_F_ECHO, RtnetlinkSocket } from './rtnetlink.js';

// linux/rtnetlink.h, linux/pkt_sched.h
const RTM_NEWQDISC = 36;
const RTM_GETQDISC = 38;
const TC_H_ROOT = 0xffff_ffff;
const TCA_KIND = 1;
const TCA_OPTIONS = 2;
const TCA_TBF_PARMS = 1;
const TCA_TBF_RATE64 = 4;
/** struct tcmsg. */
const QUEUE = 20;
const INDEX_AT = HEADER + 4;
const PARENT_AT = HEADER + 12;
/** struct tc_tbf_qopt begins with struct tc_ratespec, which ends with its rate, octets per second. */
const RATE_AT = 8;

/**
 * Bits per second; null: no bucket is at the interface of this number, or it is gone. Throws SystemCallFailed without a
 * socket.
 */
export function bucketRate(index: number): number | null {
  // Kernels before 6.8 answer only with ECHO, and about a queue of their own only with ACK.
  const request = newRequest(RTM_GETQDISC, NLM_F_ECHO | NLM_F_ACK, QUEUE);
  request.writeInt32LE(index, INDEX_AT);
  request.writeUInt32LE(TC_H_ROOT, PARENT_AT);
  const socket = new RtnetlinkSocket('open a socket to read queues');
  try {
    return bucketRateIn(socket.ask(request));
  } finally {
    socket.close();
  }
}

/** Of an answer of the kernel. */
export function bucketRateIn(message: Buffer | null): number | null {
  const attributes = attributesOf(message, RTM_NEWQDISC, QUEUE);
  if (attribute(attributes, TCA_KIND)?.toString('latin1') !== 'tbf\0') return null;
  const options = attribute(attributes, TCA_OPTIONS) ?? Buffer.alloc(0);
  const parameters = attribute(options, TCA_TBF_PARMS);
  if (parameters === null || parameters.length < RATE_AT + 4) return null;
  // Left out where 32 bits are enough.
  const long = attribute(options, TCA_TBF_RATE64);
  return 8 * (long !== null && long.length >= 8 ? Number(long.readBigUInt64LE()) : parameters.readUInt32LE(RATE_AT));
}
