/**
 * A classic BPF program that passes only broadcasts to the relay, so that other packets do not wake it. It is a coarse
 * filter; packet.ts checks precisely.
 */
import { BPF, type Instruction, WHOLE_PACKET } from '../sys/packet-filter.js';
import { type Address, BROADCAST_OCTET, PROTOCOL_UDP, RELAYED_TTL } from './packet.js';

// linux/filter.h: ancillary data about the packet
const AD_PROTOCOL = 0xffff_f000;
const AD_VLAN_TAG_PRESENT = 0xffff_f030;

const ETH_P_IP = 0x0800;

/**
 * Accepts UDP packets over IP to `lanBroadcast` or x.x.x.255 that were not relayed before and have no VLAN tag, which
 * would make them another network's.
 */
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
