/**
 * The classic BPF program that lets only broadcasts through to the relay, which so is not woken by any other packet of
 * the host. Rough where packet.ts is exact.
 */
import { writeFilter } from '../gre/socket-filter.js';
import { type Address, BROADCAST_OCTET, PROTOCOL_UDP, RELAYED_TTL } from './packet.js';

/** Octets of one `struct sock_filter`. */
export const INSTRUCTION_LENGTH = 8;

// linux/bpf_common.h
const LOAD_WORD = 0x20;
const LOAD_HALF = 0x28;
const LOAD_OCTET = 0x30;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER = 0x25;
const RETURN = 0x06;
// linux/filter.h: not in the packet, but known of it
const AD_PROTOCOL = 0xffff_f000;
const AD_VLAN_TAG_PRESENT = 0xffff_f030;

const ETH_P_IP = 0x0800;
const WHOLE_PACKET = 0xffff_ffff;

/** IP, without a VLAN tag (else another network's), UDP, not relayed yet, to `lanBroadcast` or x.x.x.255. */
export function broadcastFilter(lanBroadcast: Address): Buffer {
  const program = [
    { code: LOAD_HALF, operand: AD_PROTOCOL },
    { code: JUMP_EQUAL, jumpFalse: 11, operand: ETH_P_IP },
    { code: LOAD_OCTET, operand: AD_VLAN_TAG_PRESENT },
    { code: JUMP_EQUAL, jumpFalse: 9, operand: 0 },
    { code: LOAD_OCTET, operand: 9 },
    { code: JUMP_EQUAL, jumpFalse: 7, operand: PROTOCOL_UDP },
    { code: LOAD_OCTET, operand: 8 },
    { code: JUMP_GREATER, jumpFalse: 5, operand: RELAYED_TTL },
    { code: LOAD_WORD, operand: 16 },
    { code: JUMP_EQUAL, jumpTrue: 2, operand: lanBroadcast },
    { code: LOAD_OCTET, operand: 19 },
    { code: JUMP_EQUAL, jumpFalse: 1, operand: BROADCAST_OCTET },
    { code: RETURN, operand: WHOLE_PACKET },
    { code: RETURN, operand: 0 },
  ];
  const octets = Buffer.alloc(program.length * INSTRUCTION_LENGTH);
  writeFilter(new DataView(octets.buffer, octets.byteOffset, octets.length), 0, program);
  return octets;
}
