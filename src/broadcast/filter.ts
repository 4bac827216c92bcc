/**
 * The classic BPF program that lets only broadcasts through to the relay, so that no other packet of the host wakes it.
 * Rough where packet.ts is exact.
 */
import { BPF, type Instruction, WHOLE_PACKET } from '../sys/packet-filter.js';
import { type Address, BROADCAST_OCTET, PROTOCOL_UDP, RELAYED_TTL } from './packet.js';

// linux/filter.h: not in the packet, but known of it
const AD_PROTOCOL = 0xffff_f000;
const AD_VLAN_TAG_PRESENT = 0xffff_f030;

const ETH_P_IP = 0x0800;

/** IP, without a VLAN tag (else another network's), UDP, not relayed yet, to `lanBroadcast` or x.x.x.255. */
export const broadcastFilter = (lanBroadcast: Address): readonly Instruction[] => [
  { code: BPF.loadHalf, operand: AD_PROTOCOL },
  { code: BPF.jumpEqual, jumpFalse: 11, operand: ETH_P_IP },
  { code: BPF.loadOctet, operand: AD_VLAN_TAG_PRESENT },
  { code: BPF.jumpEqual, jumpFalse: 9, operand: 0 },
  { code: BPF.loadOctet, operand: 9 },
  { code: BPF.jumpEqual, jumpFalse: 7, operand: PROTOCOL_UDP },
  { code: BPF.loadOctet, operand: 8 },
  { code: BPF.jumpGreater, jumpFalse: 5, operand: RELAYED_TTL },
  { code: BPF.loadWord, operand: 16 },
  { code: BPF.jumpEqual, jumpTrue: 2, operand: lanBroadcast },
  { code: BPF.loadOctet, operand: 19 },
  { code: BPF.jumpEqual, jumpFalse: 1, operand: BROADCAST_OCTET },
  { code: BPF.return, operand: WHOLE_PACKET },
  { code: BPF.return, operand: 0 },
];
