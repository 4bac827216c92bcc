/**
 * Describes a control message as one log line: its type, and its relevant fields with codes in words. Strings from a
 * peer appear only as printable ASCII, and no line is longer than LINE_LIMIT.
 */
import { describeError, describeResult, describeStopReason } from './codes.js';
import { LAYOUTS } from './layout.js';
import type { ControlMessage, FieldName } from './messages.js';

/** Maximum length of a line, and of one string in it, characters. */
export const LINE_LIMIT = 480;
const TEXT_LIMIT = 160;

type Format = (value: number, message: ControlMessage) => string;

const hex =
  (digits: number): Format =>
  (value) =>
    `0x${value.toString(16).padStart(digits, '0')}`;
const flags =
  (names: readonly string[]): Format =>
  (value) =>
    `${value} (${names.filter((_, bit) => (value & (1 << bit)) !== 0).join(', ') || 'none'})`;
const unit =
  (name: string): Format =>
  (value) =>
    `${value} ${name}`;

const framing = flags(['asynchronous', 'synchronous']);
const bearer = flags(['analog', 'digital']);
const tenths: Format = (value) => `${value / 10} s`;

/** How numbers are shown whose digits alone would be unclear. */
const FORMATS: Readonly<Partial<Record<string, Format>>> = {
  protocolVersion: (value) => `${value >> 8}.${value & 0xff}`,
  resultCode: (value, { type }) => `${value} (${describeResult(type, value)})`,
  errorCode: (value) => `${value} (${describeError(value)})`,
  reason: (value) => `${value} (${describeStopReason(value)})`,
  framingCapabilities: framing,
  bearerCapabilities: bearer,
  framingType: framing,
  bearerType: bearer,
  packetProcessingDelay: tenths,
  packetTransmitDelay: tenths,
  minimumBps: unit('bit/s'),
  maximumBps: unit('bit/s'),
  connectSpeed: unit('bit/s'),
  sendAccm: hex(8),
  receiveAccm: hex(8),
} satisfies { readonly [Name in FieldName]?: Format };

/** Fields that are omitted when they are 0, to keep the line short. */
const SILENT_AT_ZERO: ReadonlySet<string> = new Set<FieldName>([
  'errorCode',
  'causeCode',
  'maximumChannels',
  'packetProcessingDelay',
  'packetTransmitDelay',
  'physicalChannelId',
  'phoneNumberLength',
  'dialedNumberLength',
  'dialingNumberLength',
]);

/** Returns the message as one line of at most LINE_LIMIT printable ASCII characters. */
export function describe(message: ControlMessage): string {
  const values: Readonly<Record<string, unknown>> = message;
  const words: string[] = [message.type];
  for (const { name } of LAYOUTS[message.type].fields) {
    const value = values[name];
    if (typeof value === 'string') {
      if (value !== '') words.push(`${name}="${printable(value)}"`);
    } else if (typeof value === 'number' && !(value === 0 && SILENT_AT_ZERO.has(name))) {
      words.push(`${name}=${FORMATS[name]?.(value, message) ?? value}`);
    }
  }
  return cut(words.join(' '), LINE_LIMIT);
}

/**
 * A peer's string as printable ASCII: ends at the first NUL; quotes, backslashes and other characters are escaped as
 * \xNN (\u{N} above Latin-1); a long string is cut with '...'.
 */
export function printable(value: string): string {
  const nul = value.indexOf('\0');
  const shown = nul === -1 ? value : value.slice(0, nul);
  return cut(
    shown.replaceAll(/[^ -~]|["\\]/gu, (character) => {
      const code = character.codePointAt(0) ?? 0;
      return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
    }),
    TEXT_LIMIT,
  );
}

function cut(line: string, limit: number): string {
  return line.length <= limit ? line : `${line.slice(0, limit - 3)}...`;
}
