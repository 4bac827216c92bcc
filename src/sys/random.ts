/** Random octets of the kernel. node:crypto has them too, but loading it takes a worker 0.5 MiB and some ms of its start. */
import { checked, libc } from './libc.js';

const getrandom: (to: Uint8Array, length: number, flags: number) => number = libc.func('getrandom', 'int64_t', [
  'void *',
  'size_t',
  'uint32_t',
]);

/** `length` octets, at most 256: getrandom(2) then never returns fewer. Throws SystemCallFailed. */
export function randomOctets(length: number): Uint8Array {
  if (length > 256) throw new RangeError(`${length} random octets at once`);
  const octets = new Uint8Array(length);
  checked(getrandom(octets, length, 0), 'get random octets');
  return octets;
}
