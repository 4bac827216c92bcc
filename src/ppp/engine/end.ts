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

/** pppd's words where it has some: failure.ts and administrators know them. */
export const TERMINATE_TEXTS: Readonly<Record<EngineEnd['kind'], string>> = {
  administrative: 'Administrative disconnect',
  peerTerminated: '',
  lcpTimeout: '',
  noAgreement: 'No agreement',
  protocolRejected: 'Protocol rejected',
  loopback: 'Loopback detected',
  echoTimeout: 'Peer not responding',
  authenticationRefused: 'peer refused to authenticate',
  authentication: 'Authentication failed',
  authenticationTimeout: 'Authentication failed',
  verdictTimeout: 'Authentication unavailable',
  encryptionUnavailable: 'MPPE required but not available',
  encryptionRefused: 'MPPE required but peer refused',
  encryptionLost: 'MPPE disabled',
  addressRefused: 'IP address refused',
  noAddress: 'No IP address available',
  ncpTimeout: 'No network protocols running',
  networkClosed: 'No network protocols running',
};

/** Describes the end in words, for the log and for `detail` of a session's end. */
export function describeEngineEnd(end: EngineEnd): string {
  switch (end.kind) {
    case 'administrative':
      return end.reason;
    case 'peerTerminated':
      return end.text === '' ? 'the client ended it' : `the client ended it: ${end.text}`;
    case 'lcpTimeout':
      return 'the client answered no LCP request';
    case 'noAgreement':
      return `the client agreed to no ${end.protocol} options`;
    case 'protocolRejected':
      return `the client rejected ${end.protocol}`;
    case 'loopback':
      return 'our own frames came back';
    case 'echoTimeout':
      return `the client answered none of ${end.failures} LCP Echo-Requests`;
    case 'authenticationRefused':
      return 'the client refused to log in';
    case 'authentication':
      return `the login was refused (error ${end.code})`;
    case 'authenticationTimeout':
      return end.challenges === 0
        ? 'the client sent no login'
        : `the client answered none of ${end.challenges} challenges`;
    case 'verdictTimeout':
      return 'the login was not checked in time';
    case 'encryptionUnavailable':
      return 'encryption is required, and this login gives no keys for it';
    case 'encryptionRefused':
      return 'the client refused encryption, which is required';
    case 'encryptionLost':
      return 'the client negotiated encryption again, or ended it';
    case 'addressRefused':
      return `the client refused the ${end.whose === 'client' ? "client's" : "server's"} address`;
    case 'noAddress':
      return end.whose === 'client'
        ? 'the account allows the client no address'
        : 'the server has no address for its end';
    case 'ncpTimeout':
      return `the client answered no ${end.protocol} request`;
    case 'networkClosed':
      return 'the client closed the network protocol';
  }
}
