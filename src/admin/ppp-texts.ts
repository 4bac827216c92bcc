/** Reads the `ppp` part of a session's state. Another version may have written it, so any field may be missing. */
import { describeFailure, type Encryption, type PppFailure, type PppState, type SettingPlaces } from '../ppp/reader.js';
import type { SessionState } from '../session/state.js';

type Told = { readonly [Key in keyof PppState]?: PppState[Key] };

export const pppOf = ({ ppp }: SessionState): Told => ppp ?? {};

/** `MPPE 128 stateless`, `none (refused by the client)`; null: not negotiated. */
export function encryptionText(encryption: Encryption | null | undefined): string | null {
  if (encryption === null || encryption === undefined) return null;
  if (encryption.method === 'none') {
    return encryption.refusedBy === null ? 'none' : `none (refused by the ${encryption.refusedBy})`;
  }
  const oneWay =
    encryption.oneWay === null ? '' : `, only ${encryption.oneWay === 'toClient' ? 'to' : 'from'} the client`;
  return `MPPE ${encryption.bits} ${encryption.stateless ? 'stateless' : 'stateful'}${oneWay}`;
}

/** A session's state does not say where its server has its settings. */
const UNKNOWN_PLACES: Omit<SettingPlaces, 'engine'> = {
  optionsFile: "pppd's options",
  written: new Set(),
  secrets: 'its secrets file',
  radius: false,
};

/** The failure's cause and remedy as a sentence. `link`: the session's. */
export function failureText(failure: PppFailure, link: SessionState['link']): string {
  try {
    return describeFailure(failure, {
      ...UNKNOWN_PLACES,
      engine: link === 'pppd' || link === null ? 'pppd' : 'builtin',
    });
  } catch {
    return failure.reason; // a reason that only a newer version knows
  }
}
