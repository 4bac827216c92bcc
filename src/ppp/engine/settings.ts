/** What the engine is told: settings as plain data, challenges, verdicts on logins; and what it asks for: both of the latter. */

/** In the words of the configuration. */
export type AuthenticationMethod = 'ms-chap-v2' | 'ms-chap' | 'chap-md5' | 'pap';

/** Those with a challenge. */
export type ChapMethod = Exclude<AuthenticationMethod, 'pap'>;

/** MPPE's key length, bits. */
export type KeyLength = 40 | 56 | 128;

export interface EngineSettings {
  /** Allowed ones, the first asked for first. */
  readonly authentication: readonly AuthenticationMethod[];
  /** `prefer`: a client may do without. */
  readonly encryption: 'require' | 'prefer' | 'none';
  readonly encryptionKeys: readonly KeyLength[];
  /** Refuses stateful MPPE; otherwise it is taken when the client asks for it. */
  readonly statelessOnly: boolean;
  /** Our name in CHAP challenges. */
  readonly name: string;
  /** Dotted quads; null: the verdict has the address. */
  readonly local: string | null;
  readonly remote: string | null;
  /** Up to two, primary first; one alone is given for both. */
  readonly dns: readonly string[];
  readonly wins: readonly string[];
  /** Largest packet that we receive, octets. */
  readonly mru: number;
  /** Echo-Requests every `interval` seconds (0: none); the link ends when `failures` of them were not answered. */
  readonly lcpEcho: { readonly interval: number; readonly failures: number };
  readonly ipv6: boolean;
}

/** The challenge for a login: 16 octets, 8 with MS-CHAP. `id` is that of the event that asked for it. */
export interface Challenge {
  readonly id: number;
  readonly octets: Uint8Array;
}

/** A login to be judged; `id` comes back in the verdict. */
export interface AuthenticationRequest {
  readonly id: number;
  readonly method: AuthenticationMethod;
  /** As sent: raw octets, of any length and character set. */
  readonly name: Uint8Array;
  /** Empty for PAP. */
  readonly challenge: Uint8Array;
  /** 49 octets with MS-CHAP, 16 with CHAP-MD5; PAP's password. */
  readonly response: Uint8Array;
  /** CHAP's identifier, part of what CHAP-MD5 hashes; PAP's packet identifier. */
  readonly identifier: number;
}

export type Verdict =
  | {
      readonly id: number;
      readonly accepted: true;
      /** Sent to the client; for MS-CHAPv2 `S=<40 hexadecimal digits> M=<text>` (RFC 2759 §5). */
      readonly message: string;
      /** The login gives MPPE its start keys, which the owner keeps. */
      readonly hasKeys: boolean;
      /** Addresses that the account fixes, in place of the settings'; null: it fixes none. */
      readonly local: string | null;
      readonly remote: string | null;
      /** Networks as `192.0.2.0/24` out of which the client may take an address of its own. */
      readonly remoteChoices: readonly string[];
    }
  | {
      readonly id: number;
      readonly accepted: false;
      /** RFC 2759 §6: 691, 646 to 649. */
      readonly code: number;
      /** The client may try another password, with this challenge; null: it may not. Only MS-CHAP can say so. */
      readonly retryChallenge: Uint8Array | null;
      readonly message: string;
    };
