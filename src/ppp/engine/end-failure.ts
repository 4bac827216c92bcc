/**
 * The end of an engine's link as a failure of the kind that the reader diagnoses, so that a failure has the same name with
 * either engine. The reader has seen both sides' packets: what it has diagnosed counts, and otherwise what the engine knows.
 */
import type { NegotiationState, PppFailure, PppState } from '../state.js';
import { METHODS } from './authenticator.js';
import { ENGINE_ENDS, type EngineEnd } from './end.js';

/** The part of the reader's state that is used here. */
export type ReadState = Pick<PppState, 'failure' | 'user' | 'times' | 'lcp' | 'ccp' | 'ipcp'>;

type Conversions = {
  readonly [K in EngineEnd['kind']]: (
    end: Extract<EngineEnd, { readonly kind: K }>,
    state: ReadState,
  ) => PppFailure | null;
};

/** What the reader has diagnosed; null: nothing, or only that the link did not open or was ended. */
function diagnosed({ failure }: ReadState): PppFailure | null {
  return failure?.reason === 'terminated' || failure?.reason === 'lcpTimeout' ? null : failure;
}

const unanswered = ({ server, client }: NegotiationState<unknown>): number =>
  Math.max(0, server.requests - client.answers);

/** The end is no failure, or one that only the engine has (ctrl/explain has a row for its kind). */
const ofItsOwn = (): null => null;

const CONVERSIONS: Conversions = {
  administrative: ofItsOwn,
  peerTerminated: ({ text, windowsError }, { failure, times }) =>
    failure ?? (times.up === null ? { reason: 'terminated', by: 'client', text, windowsError } : null),
  lcpTimeout: ({ received }, { failure, lcp }) =>
    failure?.reason === 'lcpTimeout'
      ? failure
      : {
          reason: 'lcpTimeout',
          lost: received === 0 ? 'fromClient' : null,
          clientRequests: lcp.client.requests,
          serverRequests: lcp.server.requests,
        },
  noAgreement: (_end, state) => diagnosed(state),
  protocolRejected: ({ protocol }, state) => {
    const known = diagnosed(state);
    if (known !== null || protocol === 'LCP') return known;
    return protocol === 'IPCP'
      ? { reason: 'noNetworkProtocol', by: 'client' }
      : { reason: 'authProtocolRefused', by: 'client', protocol, proposed: null };
  },
  loopback: ofItsOwn,
  echoTimeout: ofItsOwn,
  authenticationRefused: ({ proposed }, state) =>
    diagnosed(state) ?? { reason: 'authProtocolRefused', by: 'client', protocol: null, proposed },
  authentication: ({ method, code, message }, state) => {
    const known = diagnosed(state);
    if (known?.reason === 'authenticationFailed') return known;
    const { lcp: protocol } = METHODS[method];
    return { reason: 'authenticationFailed', user: state.user, protocol, code, cause: 'login refused', message };
  },
  authenticationTimeout: ({ method, challenges }, state) =>
    diagnosed(state) ?? { reason: 'loginUnanswered', protocol: METHODS[method].lcp, challenges },
  verdictTimeout: ofItsOwn,
  encryptionUnavailable: ({ method }) => ({
    reason: 'encryptionUnavailable',
    by: 'server',
    protocol: METHODS[method].lcp,
    bothWays: false,
  }),
  encryptionRefused: ({ asked }, state) => diagnosed(state) ?? { reason: 'encryptionRefused', by: 'client', asked },
  encryptionLost: ofItsOwn,
  addressRefused: ({ whose, proposed }, state) => {
    const known = diagnosed(state);
    if (known !== null && !(known.reason === 'addressRefused' && known.whose === null)) return known;
    return whose === 'client'
      ? { reason: 'addressRefused', by: 'server', whose, address: proposed, proposed: null, text: '' }
      : { reason: 'addressRefused', by: 'client', whose, address: null, proposed, text: '' };
  },
  noAddress: ({ kind, whose }, { user }) =>
    whose === 'client'
      ? { reason: 'addressNotAllowed', user, protocol: null, address: null }
      : {
          reason: 'addressRefused',
          by: 'server',
          whose: null,
          address: null,
          proposed: null,
          text: ENGINE_ENDS[kind].toClient,
        },
  ncpTimeout: ({ protocol }, state) =>
    diagnosed(state) ?? {
      reason: 'negotiationTimeout',
      protocol,
      requests: unanswered(protocol === 'CCP' ? state.ccp : state.ipcp),
    },
  networkClosed: (_end, state) =>
    diagnosed(state) ?? (state.times.up === null ? { reason: 'noNetworkProtocol', by: 'client' } : null),
};

/** null: the end is no failure, or one that only the engine has. */
export function failureOfEnd(end: EngineEnd, state: ReadState): PppFailure | null {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the kind picks the conversion of this very end
  return (CONVERSIONS[end.kind] as (end: EngineEnd, state: ReadState) => PppFailure | null)(end, state);
}
