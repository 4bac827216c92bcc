/** Why a link of the engine has ended: data, and what our Terminate-Request says about it to the client. */
import type { MppeOffer } from '../options.js';
import type { AuthenticationMethod } from './settings.js';

export type EngineEnd =
  /** `terminate` was called. */
  | { readonly kind: 'administrative'; readonly reason: string }
  /** The client sent a Terminate-Request; `windowsError` as in `Termination`. */
  | { readonly kind: 'peerTerminated'; readonly text: string; readonly windowsError: number | null }
  /** The client never answered LCP's Configure-Requests; `received`: frames that came from it. */
  | { readonly kind: 'lcpTimeout'; readonly received: number }
  /** A client that answers for ever and never agrees. */
  | { readonly kind: 'noAgreement'; readonly protocol: 'LCP' | 'CCP' | 'IPCP' }
  /** The client rejected the protocol, or a code without which it cannot work. */
  | { readonly kind: 'protocolRejected'; readonly protocol: 'LCP' | 'PAP' | 'CHAP' | 'IPCP' }
  /** Our own frames came back. */
  | { readonly kind: 'loopback' }
  /** Number of Echo-Requests in a row that were not answered. */
  | { readonly kind: 'echoTimeout'; readonly failures: number }
  /** The client took none of the authentication protocols; `proposed`: what it wants instead, null when nothing. */
  | { readonly kind: 'authenticationRefused'; readonly proposed: string | null }
  /** The login was refused; `code` as in RFC 2759 §6. */
  | {
      readonly kind: 'authentication';
      readonly method: AuthenticationMethod;
      readonly code: number;
      readonly message: string;
    }
  /** The client did not answer so many challenges (none with PAP). */
  | { readonly kind: 'authenticationTimeout'; readonly method: AuthenticationMethod; readonly challenges: number }
  /** No verdict came from our own side. */
  | { readonly kind: 'verdictTimeout' }
  /** Encryption is required, and this login gives no keys for the allowed lengths. */
  | { readonly kind: 'encryptionUnavailable'; readonly method: AuthenticationMethod }
  /**
   * The client refused our MPPE: as a whole (`reject`, `protocolReject`), by proposing what is not allowed (`nak`), by asking
   * for nothing that is allowed (`request`), or by closing CCP (`terminate`). `asked`: what the client wants, when it said so.
   */
  | {
      readonly kind: 'encryptionRefused';
      readonly how: 'reject' | 'protocolReject' | 'nak' | 'request' | 'terminate';
      readonly asked: MppeOffer | null;
    }
  /** CCP closed or restarted on an encrypted link. */
  | { readonly kind: 'encryptionLost' }
  /** The client refused an address; `proposed`: what it wants instead. */
  | { readonly kind: 'addressRefused'; readonly whose: 'client' | 'server'; readonly proposed: string | null }
  /** There is no address to give. */
  | { readonly kind: 'noAddress'; readonly whose: 'client' | 'server' }
  /** The client did not answer the requests of CCP or IPCP. */
  | { readonly kind: 'ncpTimeout'; readonly protocol: 'CCP' | 'IPCP' }
  /** The client closed the last network protocol. */
  | { readonly kind: 'networkClosed' };

interface EndTexts<End> {
  /** In our Terminate-Request; pppd's words where it has some: failure.ts and administrators know them. */
  readonly toClient: string;
  /** For the log and for `detail` of a session's end. */
  readonly words: string | ((end: End) => string);
}

export const ENGINE_ENDS: { readonly [K in EngineEnd['kind']]: EndTexts<Extract<EngineEnd, { readonly kind: K }>> } = {
  administrative: { toClient: 'Administrative disconnect', words: ({ reason }) => reason },
  peerTerminated: {
    toClient: '',
    words: ({ text }) => (text === '' ? 'the client ended it' : `the client ended it: ${text}`),
  },
  lcpTimeout: { toClient: '', words: 'the client answered no LCP request' },
  noAgreement: { toClient: 'No agreement', words: ({ protocol }) => `the client agreed to no ${protocol} options` },
  protocolRejected: { toClient: 'Protocol rejected', words: ({ protocol }) => `the client rejected ${protocol}` },
  loopback: { toClient: 'Loopback detected', words: 'our own frames came back' },
  echoTimeout: {
    toClient: 'Peer not responding',
    words: ({ failures }) => `the client answered none of ${failures} LCP Echo-Requests`,
  },
  authenticationRefused: { toClient: 'peer refused to authenticate', words: 'the client refused to log in' },
  authentication: {
    toClient: 'Authentication failed',
    words: ({ code }) => `the login was refused (error ${code})`,
  },
  authenticationTimeout: {
    toClient: 'Authentication failed',
    words: ({ challenges }) =>
      challenges === 0 ? 'the client sent no login' : `the client answered none of ${challenges} challenges`,
  },
  verdictTimeout: { toClient: 'Authentication unavailable', words: 'the login was not checked in time' },
  encryptionUnavailable: {
    toClient: 'MPPE required but not available',
    words: 'encryption is required, and this login gives no keys for it',
  },
  encryptionRefused: {
    toClient: 'MPPE required but peer refused',
    words: 'the client refused encryption, which is required',
  },
  encryptionLost: { toClient: 'MPPE disabled', words: 'the client negotiated encryption again, or ended it' },
  addressRefused: {
    toClient: 'IP address refused',
    words: ({ whose }) => `the client refused the ${whose}'s address`,
  },
  noAddress: {
    toClient: 'No IP address available',
    words: ({ whose }) =>
      whose === 'client' ? 'the account allows the client no address' : 'the server has no address for its end',
  },
  ncpTimeout: {
    toClient: 'No network protocols running',
    words: ({ protocol }) => `the client answered no ${protocol} request`,
  },
  networkClosed: { toClient: 'No network protocols running', words: 'the client closed the network protocol' },
};

export function describeEngineEnd(end: EngineEnd): string {
  // The kind picks the texts of this very end.
  const { words } = ENGINE_ENDS[end.kind] as EndTexts<EngineEnd>;
  return typeof words === 'string' ? words : words(end);
}
