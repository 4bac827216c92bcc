/**
 * Compresses a stream of events as it goes: gzip (RFC 1952) whose blocks end with each event, so nothing waits for more. A
 * block refers to no earlier one, so what many streams send is compressed once for all.
 */
import { constants, deflateRawSync } from 'node:zlib';

/** Deflate, no name, no time, of Unix. The trailer never comes, since the streams end by being cut. */
const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3);

const blocks = new WeakMap<Uint8Array, Uint8Array>();

function blockOf(octets: Uint8Array): Uint8Array {
  const known = blocks.get(octets);
  if (known !== undefined) return known;
  const block = new Uint8Array(deflateRawSync(octets, { finishFlush: constants.Z_SYNC_FLUSH }));
  blocks.set(octets, block);
  return block;
}

/** `accepted`: the request's Accept-Encoding. */
export const acceptsGzip = (accepted: string): boolean =>
  accepted.split(',').some((each) => /^\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*$).*)?$/i.test(each));

export const packedStream = (stream: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> =>
  stream.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      start: (controller) => controller.enqueue(HEADER),
      transform: (octets, controller) => controller.enqueue(blockOf(octets)),
    }),
  );
