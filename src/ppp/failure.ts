/**
 * Why a link never came up: told from the state alone, as a typed value and as a sentence for the log. Order matters:
 * what the peers themselves said comes first, then what they refused, then what they never answered.
 */
import type { PppFailure, PppState, Refusal, Side, Termination } from './state.js';

/** Fewer repeated LCP requests than these are ordinary loss. */
const LCP_REPEATS_SUSPECT = 2;

/** Error numbers that Windows puts into its Terminate-Request: "… required data encryption type" of either side. */
const WINDOWS_ENCRYPTION_ERRORS = [741, 742];

type Evidence = Omit<PppState, 'failure' | 'phase'>;

/** The cause as far as the state tells it; null when the link is or was up, or nothing has gone wrong so far. */
export function diagnose(state: Evidence): PppFailure | null {
  const { authentication, lcp, times } = state;
  if (times.up !== null) return diagnoseAfterUp(state);
  if (authentication.failure !== null && authentication.result === 'failed') {
    const { code, cause, message } = authentication.failure;
    const { protocol } = authentication;
    return { reason: 'authenticationFailed', user: state.user, protocol, code, cause, message };
  }
  // Refusals alone are no failure: the peers may still agree on something else.
  if (lcp.termination !== null) return diagnoseTermination(state, lcp.termination);
  if (!lcp.open && lcp.server.repeats >= LCP_REPEATS_SUSPECT) {
    return {
      reason: 'lcpTimeout',
      lost: lostWay(state),
      clientRequests: lcp.client.requests,
      serverRequests: lcp.server.requests,
    };
  }
  return null;
}

/** Windows negotiates IPCP beside CCP: the link may be up when it finds that there will be no encryption. */
function diagnoseAfterUp(state: Evidence): PppFailure | null {
  const { lcp, encryption } = state;
  if (lcp.termination === null || encryption?.method === 'mppe' || !isAboutEncryption(lcp.termination)) return null;
  return { reason: 'encryptionRefused', by: encryptionRefuser(state, lcp.termination) };
}

function diagnoseTermination(state: Evidence, termination: Termination): PppFailure {
  const { refusals, lcp, ipcp, encryption } = state;
  for (const [by, asker] of [
    ['client', lcp.server],
    ['server', lcp.client],
  ] as const) {
    const refusal = findRefusal(state, by, 'LCP', 'authentication');
    if (refusal === undefined || asker.agreed?.authentication !== undefined) continue;
    const { asked } = refusal;
    return { reason: 'authProtocolRefused', by, protocol: typeof asked === 'string' ? asked : null };
  }
  if (isAboutEncryption(termination)) return { reason: 'encryptionRefused', by: encryptionRefuser(state, termination) };
  if (ipcp.termination !== null) {
    return { reason: 'addressRefused', by: ipcp.termination.by, text: ipcp.termination.text };
  }
  const address = refusals.findLast(
    ({ by, protocol, option, how }) =>
      protocol === 'IPCP' &&
      (option === null || (option === 'address' && (how === 'reject' || by === 'client'))) &&
      (by === 'client' ? ipcp.server : ipcp.client).agreed === null,
  );
  // A server's nak is how a client is given its address; a client's nak disputes ours.
  if (address !== undefined) return { reason: 'addressRefused', by: address.by, text: '' };
  if (encryption?.method === 'none' && encryption.refusedBy !== null) {
    return { reason: 'encryptionRefused', by: encryption.refusedBy };
  }
  return { reason: 'terminated', ...termination };
}

/** Where frames get lost when LCP is not agreed. */
function lostWay({ frames, lcp }: Evidence): 'toClient' | 'fromClient' | null {
  if (frames.fromClient === 0) return 'fromClient';
  // One request alone may come from a client that hangs: it is the repeating that tells.
  return lcp.client.requests > 1 && lcp.client.answers === 0 ? 'toClient' : null;
}

function isAboutEncryption({ text, windowsError }: Termination): boolean {
  return /\bMPPE\b/i.test(text) || (windowsError !== null && WINDOWS_ENCRYPTION_ERRORS.includes(windowsError));
}

/** Who made encryption fail; without a refusal on the wire it is the peer of the side that gives up. */
function encryptionRefuser(state: Evidence, termination: Termination): Side {
  const { encryption } = state;
  if (encryption?.method === 'none' && encryption.refusedBy !== null) return encryption.refusedBy;
  return termination.by === 'client' ? 'server' : 'client';
}

function findRefusal(state: Evidence, side: Side, name: string, option: string): Refusal | undefined {
  return state.refusals.find(
    (refusal) => refusal.by === side && refusal.protocol === name && refusal.option === option,
  );
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
  addressRefused: ({ by, text }) =>
    `${SIDES[by]} refused the IP addresses in IPCP${text === '' ? '' : `: "${text}"`}: ` +
    (by === 'client'
      ? 'let the client take the address that the server gives it'
      : 'give pppd an address pair: addresses in the configuration, or Framed-IP-Address from RADIUS'),
  lcpTimeout: ({ lost, clientRequests, serverRequests }) => {
    const cause = {
      fromClient: 'no PPP frame ever came from the client',
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
