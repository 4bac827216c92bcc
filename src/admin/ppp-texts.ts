/**
 * Reads the `ppp` part of a session's state. Another version may have written it, or a worker that was taken over: a field
 * that is missing or of another form is left out.
 */
import * as z from 'zod';
import { describeFailure, type PppFailure, type SettingPlaces } from '../ppp/reader.js';
import type { SessionState } from '../session/state.js';

const bothWays = z.object({ toClient: z.number(), fromClient: z.number() });
const toldEncryption = z.union([
  z.object({ method: z.literal('none'), refusedBy: z.string().nullable().default(null) }),
  z.object({
    method: z.literal('mppe'),
    bits: z.number(),
    stateless: z.boolean(),
    oneWay: z.enum(['toClient', 'fromClient']).nullable().default(null),
  }),
]);
const told = z.object({
  phase: z.string().optional().catch(undefined),
  authentication: z
    .object({ protocol: z.string().nullable(), method: z.string().nullable().default(null), result: z.string() })
    .optional()
    .catch(undefined),
  encryption: toldEncryption.nullish().catch(undefined),
  addresses: z
    .object({
      local: z.string().nullable(),
      remote: z.string().nullable(),
      dns: z.array(z.string()).optional(),
      wins: z.array(z.string()).optional(),
    })
    .nullish()
    .catch(undefined),
  mru: bothWays.optional().catch(undefined),
  accm: bothWays.optional().catch(undefined),
  identification: z.array(z.string()).optional().catch(undefined),
  refusals: z
    .array(z.object({ by: z.string(), protocol: z.string(), option: z.string().nullable(), how: z.string() }))
    .optional()
    .catch(undefined),
  // Its other fields are those of the reason; `failureText` reads them.
  failure: z.looseObject({ reason: z.string() }).nullish().catch(undefined),
});

type Told = z.output<typeof told>;

export const pppOf = ({ ppp }: SessionState): Told => told.parse(ppp ?? {});

/** `MPPE 128 stateless`, `none (refused by the client)`; null: not negotiated. */
export function encryptionText(encryption: Told['encryption']): string | null {
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
export function failureText(failure: NonNullable<Told['failure']>, link: SessionState['link']): string {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one of another form throws
    return describeFailure(failure as PppFailure, {
      ...UNKNOWN_PLACES,
      engine: link === 'pppd' || link === null ? 'pppd' : 'builtin',
    });
  } catch {
    return failure.reason; // a reason that only a newer version knows, or one without its fields
  }
}
