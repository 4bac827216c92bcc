/** ICMP echo (RFC 792) in IPv4 packets of twenty octets of header, complete with their checksums. */

const IPPROTO_ICMP = 1;
const IP_HEADER = 20;
const ICMP_HEADER = 8;
const REQUEST = 8;
const REPLY = 0;

const octets = (address: string): number[] => address.split('.').map(Number);

/** RFC 1071. */
function checksum(data: Buffer): number {
  let sum = 0;
  for (let at = 0; at < data.length; at += 2) sum += ((data[at] ?? 0) << 8) | (data[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

export function echoRequest(from: string, to: string, data: Buffer): Buffer {
  const packet = Buffer.alloc(IP_HEADER + ICMP_HEADER + data.length);
  packet.writeUInt8(0x45, 0);
  packet.writeUInt16BE(packet.length, 2);
  packet.writeUInt8(64, 8);
  packet.writeUInt8(IPPROTO_ICMP, 9);
  packet.set(octets(from), 12);
  packet.set(octets(to), 16);
  packet.writeUInt16BE(checksum(packet.subarray(0, IP_HEADER)), 10);
  packet.writeUInt8(REQUEST, IP_HEADER);
  packet.set(data, IP_HEADER + ICMP_HEADER);
  packet.writeUInt16BE(checksum(packet.subarray(IP_HEADER)), IP_HEADER + 2);
  return packet;
}

/** The data of an echo reply; null for another packet. */
export const replyData = (packet: Buffer): Buffer | null =>
  packet[0] === 0x45 && packet[9] === IPPROTO_ICMP && packet[IP_HEADER] === REPLY
    ? packet.subarray(IP_HEADER + ICMP_HEADER)
    : null;
