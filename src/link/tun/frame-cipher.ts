/** Encryption of data frames, as the TUN port needs it: what MPPE (RFC 3078) is to it. */

/** Octets before a PPP frame that become the packet's header. */
export const CIPHER_HEADER = 2;

export interface FrameCipher {
  /**
   * Encrypts the PPP frame of `length` octets at `at`, from its protocol field on, in place. The packet begins
   * CIPHER_HEADER octets before it. Returns the packet's length; 0 if it cannot be sent.
   */
  encrypt(at: number, length: number): number;
  /**
   * Decrypts the packet of `length` octets at `at`, in place. Returns the length of the PPP frame, which begins
   * CIPHER_HEADER octets after `at` with its protocol field; or a negative number if the packet must be dropped:
   * OUT_OF_SYNC, FATAL or another.
   */
  decrypt(at: number, length: number): number;
}

/** Packets were lost: the peer must be asked for a reset. */
export const OUT_OF_SYNC = -2;
/** The link must be ended. */
export const FATAL = -4;
