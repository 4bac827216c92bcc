/**
 * MPPE's option in CCP packets (RFC 3078 §2.1), as ppp_mppe of the kernel wants it: it must know option and key before the
 * Configure-Ack passes. Pure.
 */
import { type StartKeys, STRONG_KEY, WEAK_KEY } from '../../mschap/start-keys.js';
import { parseFrame } from '../../ppp/packet.js';

const CONFIGURE_REQUEST = 1;
const CONFIGURE_ACK = 2;
const MPPE = 18;
const OPTION_LENGTH = 6;
/** In the last octet of the option: 128 bits. */
const STRONG = 0x40;

export interface CcpPacket {
  readonly code: number;
  /** The option of a Configure-Request or Configure-Ack; null: it has none. */
  readonly mppe: Uint8Array | null;
}

/** null: `frame` is no CCP packet. */
export function ccpPacket(frame: Uint8Array): CcpPacket | null {
  const packet = parseFrame(frame);
  if (typeof packet === 'string' || packet.protocol !== 'CCP') return null;
  const { code } = packet;
  if (code !== CONFIGURE_REQUEST && code !== CONFIGURE_ACK) return { code, mppe: null };
  const body = packet.body();
  while (body.left >= 2) {
    const [type, length] = [body.u8(), body.u8()];
    const value = body.part(length - 2).bytes(length);
    if (body.short || length < 2) break;
    if (type === MPPE && length === OPTION_LENGTH) return { code, mppe: Uint8Array.of(type, length, ...value) };
  }
  return { code, mppe: null };
}

/** We ask by a Configure-Request for what the client sends, and agree by a Configure-Ack to what we send (RFC 1962 §4). */
export const isForSending = ({ code }: CcpPacket): boolean => code === CONFIGURE_ACK;

/** What PPPIOCSCOMPRESS is given: the option, and a start key of 16 octets, of which 40 bits use the first 8. */
export function compressorOf(mppe: Uint8Array, keys: StartKeys, forSending: boolean): Uint8Array {
  const option = new Uint8Array(OPTION_LENGTH + STRONG_KEY);
  option.set(mppe);
  const start = forSending ? keys.send : keys.receive;
  const isStrong = ((mppe[OPTION_LENGTH - 1] ?? 0) & STRONG) !== 0;
  option.set(isStrong ? start : (keys.weak ?? start.subarray(0, WEAK_KEY)), OPTION_LENGTH);
  return option;
}
