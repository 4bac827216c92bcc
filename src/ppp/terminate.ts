/**
 * What a Terminate-Request says. pppd sends a sentence; Windows sends its magic number, a fixed mark and the number of
 * the error that its user is shown, all as 32-bit numbers (seen as `…<00>\<3C CD 74>\<00 00 02 E6>` for error 742).
 */
import type { FieldReader } from './fields.js';
import type { Termination } from './state.js';

const WINDOWS_MARK = 0x003c_cd74;

export function readTerminateText(body: FieldReader): Pick<Termination, 'text' | 'windowsError'> {
  if (body.left === 12) {
    const fields = body.rest();
    fields.u32();
    if (fields.u32() === WINDOWS_MARK) {
      const error = fields.u32();
      return { text: '', windowsError: error === 0 ? null : error };
    }
  }
  return { text: body.text(), windowsError: null };
}
