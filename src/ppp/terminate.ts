/**
 * The data of a Terminate-Request. pppd sends a text. Windows sends three 32-bit numbers: its magic number, a fixed mark, and the
 * number of the error that its user sees (`…<00>\<3C CD 74>\<00 00 02 E6>` for error 742).
 */
import type { FieldReader } from './field-reader.js';
import type { Side, Termination } from './state.js';

const WINDOWS_MARK = 0x003c_cd74;

export function readTermination(by: Side, body: FieldReader): Termination {
  if (body.left === 12) {
    const fields = body.rest();
    fields.u32();
    if (fields.u32() === WINDOWS_MARK) {
      const error = fields.u32();
      return { by, text: '', windowsError: error === 0 ? null : error };
    }
  }
  return { by, text: body.textOrHex(), windowsError: null };
}
