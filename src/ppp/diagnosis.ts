/**
 * Diagnoses from the state alone why a link never came up, as a typed value; `failure` has its words. Order matters: what
 * the peers themselves said comes first, then what they refused, then what they never answered.
 */
import type { MppeOffer } from './options.js';
import type { PppFailure, PppState, Refusal, Side, Termination } from './state.js';

/** Fewer repeated LCP requests are ordinary loss. */
const LCP_REPEATS_SUSPECT = 2;

/** So many unanswered requests are more than loss. */
const UNANSWERED_SUSPECT = 3;

/** Error numbers in Windows's Terminate-Request: one side does not support the required data encryption type. */
const WINDOWS_ENCRYPTION_ERRORS = [741, 742];

/**
 * The texts of pppd 2.4 and 2.5 in Terminate-Requests, verbatim: as good as error numbers. pppd ends every encrypted link
 * with "MPPE disabled", which means something only if there is no network protocol.
 */
const PPPD_REASONS: Readonly<Record<string, 'login' | 'encryption' | 'noEncryptionKeys' | 'address' | 'network'>> = {
  'Authentication failed': 'login',
  'Failed to authenticate ourselves to peer': 'login',
  'MPPE required but peer refused': 'encryption',
  'MPPE required but peer negotiation failed': 'encryption',
  'MPPE disabled by peer': 'encryption',
  'MPPE required but not available': 'noEncryptionKeys',
  'MPPE required but not available in kernel': 'noEncryptionKeys',
  'Unauthorized remote IP address': 'address',
  'No network protocols running': 'network',
  'MPPE disabled': 'network',
};

/** Protocols that a client may reject as a whole when it is to log in by them. */
const LOGIN_PROTOCOLS = ['PAP', 'CHAP', 'EAP'];

/** An address option that asks the peer for an address (RFC 1332 §3.3). */
const UNSPECIFIED = '0.0.0.0';

type Observed = Omit<PppState, 'failure' | 'phase'>;

const BOTH_SIDES = ['client', 'server'] as const;
const otherSide = (side: Side): Side => (side === 'client' ? 'server' : 'client');

/** The cause as far as the state shows it; null if the link is or was up as both sides wanted, or nothing has failed yet. */
export function diagnose(state: Observed): PppFailure | null {
  const { authentication, lcp, times } = state;
  if (times.up !== null) return lcp.termination === null ? null : diagnoseAfterUp(state, lcp.termination);
  if (authentication.failure !== null && authentication.result === 'failed') {
    const { code, cause, message } = authentication.failure;
    const { protocol } = authentication;
    return { reason: 'authenticationFailed', user: state.user, protocol, code, cause, message };
  }
  // A refusal alone is not a failure: the peers may still agree on something else.
  if (lcp.termination !== null) return diagnoseTermination(state, lcp.termination);
  if (!lcp.open && lcp.server.repeats >= LCP_REPEATS_SUSPECT) {
    return {
      reason: 'lcpTimeout',
      lost: lostDirection(state),
      clientRequests: lcp.client.requests,
      serverRequests: lcp.server.requests,
    };
  }
  return null;
}

/**
 * One side may reject the result of IPCP after it was agreed. And Windows negotiates IPCP and CCP at the same time: the link
 * may be up before Windows finds that there is no encryption.
 */
function diagnoseAfterUp(state: Observed, termination: Termination): PppFailure | null {
  if (isAboutEncryption(termination)) return diagnoseEncryption(state, termination);
  return diagnoseAddresses(state);
}

function diagnoseTermination(state: Observed, termination: Termination): PppFailure {
  const encryption = diagnoseEncryption(state, termination);
  return (
    diagnoseLogin(state, termination) ??
    diagnoseSilence(state, termination) ??
    // If neither side mentions the refused encryption, it may have been optional.
    (isAboutEncryption(termination) ? encryption : null) ??
    diagnoseAddresses(state) ??
    encryption ??
    diagnoseNetwork(state, termination) ?? { reason: 'terminated', ...termination }
  );
}

function diagnoseLogin(state: Observed, termination: Termination): PppFailure | null {
  for (const by of BOTH_SIDES) {
    const refusal = findRefusal(state, by, 'LCP', 'authentication');
    if (refusal === undefined || state.lcp[otherSide(by)].agreed?.authentication !== undefined) continue;
    return {
      reason: 'authProtocolRefused',
      by,
      protocol: textOf(refusal.asked),
      proposed: textOf(refusal.proposed),
    };
  }
  const { result, protocol, challenges, responses } = state.authentication;
  const isRejected = LOGIN_PROTOCOLS.some((name) => findRefusal(state, 'client', name, null) !== undefined);
  if (result === 'pending' && isRejected)
    return { reason: 'authProtocolRefused', by: 'client', protocol, proposed: null };
  const isUnanswered = result === 'pending' && responses === 0 && termination.by === 'server';
  if (isUnanswered) return { reason: 'loginUnanswered', protocol, challenges };
  // The client's own login did not fail, so the server's did, which the reader does not follow.
  const asked = state.lcp.client.agreed?.authentication;
  return asked !== undefined && PPPD_REASONS[termination.text] === 'login'
    ? { reason: 'serverLoginRefused', protocol: asked }
    : null;
}

function diagnoseSilence({ ccp, ipcp }: Observed, { by }: Termination): PppFailure | null {
  if (by === 'client') return null;
  for (const [protocol, { client, server }] of [
    ['CCP', ccp],
    ['IPCP', ipcp],
  ] as const) {
    const requests = server.requests - client.answers;
    if (server.agreed === null && requests >= UNANSWERED_SUSPECT)
      return { reason: 'negotiationTimeout', protocol, requests };
  }
  return null;
}

function isAboutEncryption({ text, windowsError }: Termination): boolean {
  const reason = PPPD_REASONS[text];
  return (
    reason === 'encryption' ||
    reason === 'noEncryptionKeys' ||
    (windowsError !== null && WINDOWS_ENCRYPTION_ERRORS.includes(windowsError))
  );
}

/** Judges by what both sides requested in CCP: the side that hangs up is not always the one that refused. */
function diagnoseEncryption(state: Observed, termination: Termination): PppFailure | null {
  const { ccp, encryption, authentication, lcp } = state;
  if (encryption?.method === 'mppe') return null;
  const { by } = termination;
  if (PPPD_REASONS[termination.text] === 'noEncryptionKeys') {
    const bothWays = BOTH_SIDES.every((side) => lcp[side].agreed?.authentication !== undefined);
    return { reason: 'encryptionUnavailable', by, protocol: authentication.protocol, bothWays };
  }
  const offers = { client: offerOf(ccp.client), server: offerOf(ccp.server) };
  const { client, server } = offers;
  if (client !== null && server !== null && !canAgree(client, server)) {
    return { reason: 'encryptionModesDiffer', client, server };
  }
  const refuser = encryption?.refusedBy ?? (isAboutEncryption(termination) ? otherSide(by) : null);
  return refuser === null ? null : { reason: 'encryptionRefused', by: refuser, asked: offers[otherSide(refuser)] };
}

/** The MPPE that a side requested last; null: none, or only compression. */
const offerOf = ({ requested }: Observed['ccp']['client']): MppeOffer | null => {
  const offer = requested?.mppe;
  return offer === undefined || offer.keys.length === 0 ? null : offer;
};

/** RFC 3078 §2: both must name the same key length, in the same mode. */
const canAgree = (one: MppeOffer, other: MppeOffer): boolean =>
  one.stateless === other.stateless && one.keys.some((key) => other.keys.includes(key));

function diagnoseAddresses(state: Observed): PppFailure | null {
  const { ipcp, user, authentication, refusals, times } = state;
  const { termination } = ipcp;
  const text = termination?.text ?? '';
  // Clients may close IPCP when they hang up; the server closes it only if something is wrong.
  if (times.up !== null && (termination === null || (termination.by === 'client' && text === ''))) return null;
  if (termination?.by === 'server' && PPPD_REASONS[text] === 'address') {
    const address = ipcp.client.agreed?.address ?? null;
    return { reason: 'addressNotAllowed', user, protocol: authentication.protocol, address };
  }
  for (const whose of BOTH_SIDES) {
    // A side that accepted another address has agreed on it.
    if (ipcp[whose].agreed?.address !== undefined) continue;
    const by = otherSide(whose);
    const refusal = refusals.find(
      (each) => each.by === by && each.protocol === 'IPCP' && each.option === 'address' && each.asked !== UNSPECIFIED,
    );
    if (refusal === undefined) continue;
    return {
      reason: 'addressRefused',
      by,
      whose,
      address: textOf(refusal.asked),
      proposed: textOf(refusal.proposed),
      text,
    };
  }
  if (termination === null || (termination.by === 'client' && times.up !== null)) return null;
  return { reason: 'addressRefused', by: termination.by, whose: null, address: null, proposed: null, text };
}

/** The login succeeded, but one side does not request IPv4, or does not support it. */
function diagnoseNetwork(state: Observed, { by, text }: Termination): PppFailure | null {
  const { authentication, ipcp, ipv6cp } = state;
  if (authentication.result === 'pending' || ipv6cp.open) return null;
  const rejecter = BOTH_SIDES.find((side) => findRefusal(state, side, 'IPCP', null) !== undefined);
  const silent = BOTH_SIDES.filter((side) => ipcp[side].requests === 0);
  if (rejecter !== undefined) return { reason: 'noNetworkProtocol', by: rejecter };
  const [lacking] = silent;
  if (lacking === undefined || PPPD_REASONS[text] !== 'network') return null;
  // pppd without a network protocol hangs up at once, perhaps before the other side could request one.
  return { reason: 'noNetworkProtocol', by: silent.length > 1 ? by : lacking };
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** The direction in which frames get lost if LCP is not agreed; null: it does not show. */
function lostDirection({ frames, lcp }: Observed): 'toClient' | 'fromClient' | null {
  if (frames.fromClient === 0) return 'fromClient';
  // A single request may come from a client that hangs; only repeated ones show that it does not hear us.
  return lcp.client.requests > 1 && lcp.client.answers === 0 ? 'toClient' : null;
}

function findRefusal(state: Observed, side: Side, name: string, option: string | null): Refusal | undefined {
  return state.refusals.find(
    (refusal) => refusal.by === side && refusal.protocol === name && refusal.option === option,
  );
}
