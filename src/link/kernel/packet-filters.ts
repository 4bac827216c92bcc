/**
 * Classic BPF programs for a call in the kernel. `guard` stands before the kernel's own PPTP socket, whose packets begin with
 * the GRE header: the kernel would take data that is not encrypted, and goes on without encryption after a CCP packet that
 * negotiates anew. `sampling` stands before a raw socket, whose packets begin with the IP header: the worker sees the headers
 * of every so many packets, and the CCP packets that `guard` keeps from the kernel.
 */
import { assemble, BPF, type Instruction, type Step, WHOLE_PACKET } from '../../sys/packet-filter.js';

// RFC 2637 §4.1.
const VERSION_AND_PROTOCOL = 0x0007_ffff;
const ENHANCED_PPP = 0x0001_880b;
const CALL_ID_AT = 6;
const SEQUENCE_AT = 8;
const FLAG_SEQUENCE = 0x1000;
const FLAG_ACKNOWLEDGMENT = 0x0080;
const HEADER = 12;
const HEADER_WITH_ACKNOWLEDGMENT = 16;
// RFC 1662 §3.1, RFC 1661 §2, RFC 3078 §2.
const ADDRESS_AND_CONTROL = 0xff03;
const FIRST_CONTROL_PROTOCOL = 0x8000;
const MPPE = 0x00fd;
const CCP = 0x80fd;
const CODE_AT = 2;
/** Configure-Request, Terminate-Request, Terminate-Ack: after one of these the kernel encrypts or decrypts no more. */
export const RENEGOTIATING = [1, 5, 6] as const;

/** Octets to keep of a packet that the worker sees: the longest IP header, GRE's, and a CCP packet. */
export const SAMPLE_LENGTH = 160;

const ACCEPT = 'accept';
const DROP = 'drop';

/** X moves from the GRE header to the PPP frame. Without a sequence number there is none: to `otherwise`. */
const toFrame = (otherwise: string): readonly Step[] => [
  { code: BPF.loadHalfAtX, operand: 0 },
  { test: BPF.jumpAnyBit, operand: FLAG_SEQUENCE, no: otherwise },
  { test: BPF.jumpAnyBit, operand: FLAG_ACKNOWLEDGMENT, yes: 'acknowledges' },
  { code: BPF.fromX, operand: 0 },
  { code: BPF.add, operand: HEADER },
  { goTo: 'frame' },
  { mark: 'acknowledges' },
  { code: BPF.fromX, operand: 0 },
  { code: BPF.add, operand: HEADER_WITH_ACKNOWLEDGMENT },
  { mark: 'frame' },
  { code: BPF.toX, operand: 0 },
  { code: BPF.loadHalfAtX, operand: 0 },
  { test: BPF.jumpEqual, operand: ADDRESS_AND_CONTROL, no: 'protocol' },
  { code: BPF.fromX, operand: 0 },
  { code: BPF.add, operand: 2 },
  { code: BPF.toX, operand: 0 },
  { mark: 'protocol' },
];

/** X is at the PPP frame. Goes to 'plain' for data that is not encrypted, to 'renegotiates', or to 'passes' for all others. */
const classify: readonly Step[] = [
  // A compressed protocol field has one octet, which is odd (RFC 1661 §6.5).
  { code: BPF.loadOctetAtX, operand: 0 },
  { test: BPF.jumpAnyBit, operand: 1, no: 'whole' },
  { test: BPF.jumpEqual, operand: MPPE, yes: 'passes', no: 'plain' },
  { mark: 'whole' },
  { code: BPF.loadHalfAtX, operand: 0 },
  { test: BPF.jumpEqual, operand: MPPE, yes: 'passes' },
  { test: BPF.jumpAtLeast, operand: FIRST_CONTROL_PROTOCOL, no: 'plain' },
  { test: BPF.jumpEqual, operand: CCP, no: 'passes' },
  { code: BPF.loadOctetAtX, operand: CODE_AT },
  ...RENEGOTIATING.map((operand) => ({ test: BPF.jumpEqual, operand, yes: 'renegotiates' })),
  { goTo: 'passes' },
];

const endings = (accepted: number): readonly Step[] => [
  { mark: DROP },
  { code: BPF.return, operand: 0 },
  { mark: ACCEPT },
  { code: BPF.return, operand: accepted },
];

/** `open`: everything passes. `encrypted`: data must be. `sealed`: and CCP does not negotiate anew. */
export type GuardState = 'open' | 'encrypted' | 'sealed';

export const guard = (state: GuardState): readonly Instruction[] =>
  state === 'open'
    ? [{ code: BPF.return, operand: WHOLE_PACKET }]
    : assemble([
        { code: BPF.setX, operand: 0 },
        ...toFrame(ACCEPT),
        ...classify,
        { mark: 'plain' },
        { goTo: DROP },
        { mark: 'renegotiates' },
        { goTo: state === 'sealed' ? DROP : ACCEPT },
        { mark: 'passes' },
        { goTo: ACCEPT },
        ...endings(WHOLE_PACKET),
      ]);

/**
 * Packets of the call `callId`: of those that `guard` lets pass the ones whose sequence number is a multiple of `every`, a
 * power of two (null: none), and all those of CCP that renegotiate; SAMPLE_LENGTH octets of each.
 */
export const sampling = (callId: number, every: number | null, state: GuardState): readonly Instruction[] =>
  assemble([
    { code: BPF.loadHeaderLength, operand: 0 },
    { code: BPF.loadWordAtX, operand: 0 },
    { code: BPF.and, operand: VERSION_AND_PROTOCOL },
    { test: BPF.jumpEqual, operand: ENHANCED_PPP, no: DROP },
    { code: BPF.loadHalfAtX, operand: CALL_ID_AT },
    { test: BPF.jumpEqual, operand: callId, no: DROP },
    { code: BPF.loadWordAtX, operand: SEQUENCE_AT },
    { code: BPF.and, operand: (every ?? 1) - 1 },
    { code: BPF.store, operand: 0 },
    ...toFrame(DROP),
    ...classify,
    { mark: 'plain' },
    { goTo: state === 'open' ? 'passes' : DROP },
    { mark: 'renegotiates' },
    { goTo: ACCEPT },
    { mark: 'passes' },
    { code: BPF.loadStored, operand: 0 },
    every === null ? { goTo: DROP } : { test: BPF.jumpEqual, operand: 0, yes: ACCEPT },
    ...endings(SAMPLE_LENGTH),
  ]);
