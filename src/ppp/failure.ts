/**
 * Why a link never came up: told from the state alone, as a typed value and as a sentence for the log. Order matters:
 * what the peers themselves said comes first, then what they refused, then what they never answered.
 */
import type { PppState, Side, Termination } from './state.js';

export type PppFailure =
  | {
      readonly reason: 'authenticationFailed';
      readonly user: string | null;
      readonly protocol: string | null;
      /** MS-CHAP's error code (RFC 2759 §6); null for other protocols. */
      readonly code: number | null;
      readonly cause: string;
      readonly message: string | null;
    }
  | { readonly reason: 'authProtocolRefused'; readonly by: Side; readonly protocol: string | null }
  | { readonly reason: 'encryptionRefused'; readonly by: Side }
  | { readonly reason: 'addressRefused'; readonly by: Side }
  | {
      readonly reason: 'lcpTimeout';
      /** The direction in which frames get lost; null when it cannot be told. */
      readonly lost: 'toClient' | 'fromClient' | null;
      readonly clientRequests: number;
      readonly serverRequests: number;
    }
  | ({ readonly reason: 'terminated' } & Termination);

/** Fewer repeated LCP requests than these are ordinary loss. */
const LCP_REPEATS_SUSPECT = 2;

/** Error numbers that Windows puts into its Terminate-Request: "… required data encryption type" of either side. */
const WINDOWS_ENCRYPTION_ERRORS = [741, 742];

/** The cause as far as the state tells it; null when the link is or was up, or nothing has gone wrong so far. */
export function diagnose(state: Omit<PppState, 'failure' | 'phase'>): PppFailure | null {
  if (state.times.up !== null) return null;
  const { authentication, lcp, termination } = state;
  if (authentication.failure !== null && authentication.result === 'failed') {
    const { code, cause, message } = authentication.failure;
    const { protocol } = authentication;
    return { reason: 'authenticationFailed', user: state.user, protocol, code, cause, message };
  }
  // Refusals alone are no failure: the peers may still agree on something else.
  if (termination !== null) return diagnoseTermination(state, termination);
  const clientRequests = lcp.client.requests;
  const serverRequests = lcp.server.requests;
  if (!lcp.open && Math.max(lcp.client.repeats, lcp.server.repeats) >= LCP_REPEATS_SUSPECT) {
    let lost: 'toClient' | 'fromClient' | null = null;
    if (state.frames.fromClient === 0) lost = 'fromClient';
    else if (lcp.client.answers === 0) lost = 'toClient';
    return { reason: 'lcpTimeout', lost, clientRequests, serverRequests };
  }
  return null;
}

function diagnoseTermination(state: Omit<PppState, 'failure' | 'phase'>, termination: Termination): PppFailure {
  const { refusals, lcp, ipcp, encryption } = state;
  const refused = (protocol: string, option: string) =>
    refusals.findLast((refusal) => refusal.protocol === protocol && (refusal.option ?? option) === option);

  const authentication = refused('LCP', 'authentication') ?? refused('EAP', 'method');
  const unagreed = !lcp.open || refusals.some(({ protocol }) => protocol === 'EAP');
  if (authentication !== undefined && unagreed && state.authentication.result !== 'succeeded') {
    const asker = authentication.by === 'client' ? lcp.server : lcp.client;
    const protocol = state.authentication.method ?? asker.requested?.authentication ?? null;
    return { reason: 'authProtocolRefused', by: authentication.by, protocol };
  }
  const aboutEncryption =
    /\bMPPE\b/i.test(termination.text) || WINDOWS_ENCRYPTION_ERRORS.includes(termination.windowsError ?? 0);
  const refusedBy = encryption?.method === 'none' ? encryption.refusedBy : null;
  if (aboutEncryption) {
    const nak = refused('CCP', 'mppe')?.by;
    return { reason: 'encryptionRefused', by: refusedBy ?? nak ?? (termination.by === 'client' ? 'server' : 'client') };
  }
  const address = refusals.findLast(
    ({ protocol, option, how }) => protocol === 'IPCP' && how === 'reject' && (option === null || option === 'address'),
  );
  if (address !== undefined) return { reason: 'addressRefused', by: address.by };
  if (refusals.some(({ protocol, by }) => protocol === 'IPCP' && by === 'client') && ipcp.server.agreed === null) {
    if (refused('IPCP', 'address')?.by === 'client') return { reason: 'addressRefused', by: 'client' };
  }
  if (refusedBy !== null) return { reason: 'encryptionRefused', by: refusedBy };
  return { reason: 'terminated', ...termination };
}

const SIDES: Readonly<Record<Side, string>> = { client: 'the client', server: 'our pppd' };

type Describers = { readonly [F in PppFailure as F['reason']]: (failure: F) => string };

const DESCRIBERS: Describers = {
  authenticationFailed: ({ user, protocol, code, cause, message }) => {
    const number = code === null ? '' : ` (E=${code})`;
    const said = message === null ? '' : `; our pppd said "${message}"`;
    return `${protocol ?? 'login'}: ${cause}${number} for user ${user === null ? 'unknown' : `"${user}"`}${said}`;
  },
  authProtocolRefused: ({ by, protocol }) =>
    `${SIDES[by]} refused to log in by ${protocol ?? 'the protocol asked for'}: ` +
    (by === 'client'
      ? 'allow it in the client, or require another (require-mschap-v2, require-chap, …) in the pppd options'
      : 'the client wants the server to log in to it: turn that off in the client'),
  encryptionRefused: ({ by }) =>
    by === 'client'
      ? 'the client refused MPPE encryption, which our pppd requires: allow 128-bit MPPE in the client'
      : 'our pppd refused MPPE encryption, which the client requires: put require-mschap-v2 and require-mppe-128 ' +
        'into the pppd options',
  addressRefused: ({ by }) => `${SIDES[by]} refused the IP address that its peer asked for in IPCP`,
  lcpTimeout: ({ lost, clientRequests, serverRequests }) => {
    const cause = {
      fromClient: 'no PPP frame ever came from the client: GRE (IP protocol 47) is blocked on the way to us',
      toClient:
        'the client repeats its first request and answers none of ours: GRE (IP protocol 47) is blocked from us to it',
      unknown: 'LCP was never agreed: frames are lost on the way, or one side hangs',
    }[lost ?? 'unknown'];
    return `${cause} (LCP Configure-Requests sent: client ${clientRequests}, our pppd ${serverRequests})`;
  },
  terminated: ({ by, text, windowsError }) => {
    const error = windowsError === null ? '' : ` (Windows error ${windowsError})`;
    return `${SIDES[by]} ended the link before it was up: ${text === '' ? 'it gave no reason' : `"${text}"`}${error}`;
  },
};

/** One sentence with the cause and, where there is one, the remedy. */
export function describeFailure(failure: PppFailure): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the key picks the describer of this very type
  return (DESCRIBERS[failure.reason] as (failure: PppFailure) => string)(failure);
}
