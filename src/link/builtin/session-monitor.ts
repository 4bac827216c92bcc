/** What a link asks of the monitor, which is root (src/monitor). Every function may reject, with a sentence. */
import type { StartKeys } from '../../mschap/start-keys.js';
import type { KernelTunnel } from '../../sys/ppp-device.js';
import type { AuthenticationRequest, ChapMethod } from '../../ppp/engine/engine.js';
import type { LinkLimits } from '../link.js';

interface Pair {
  readonly local: string;
  readonly remote: string;
}

export interface SessionMonitor {
  /** The challenge for the next login. */
  drawChallenge(method: ChapMethod): Promise<Uint8Array>;
  /** `patience`: how long the verdict may take, ms. */
  authenticate(
    request: Omit<AuthenticationRequest, 'id'>,
    patience?: number,
  ): Promise<
    | {
        readonly accepted: true;
        readonly message: string;
        readonly keys: StartKeys | null;
        readonly remote: string | null;
        readonly remoteChoices: readonly string[];
        readonly limits: LinkLimits | null;
      }
    | {
        readonly accepted: false;
        readonly code: number;
        readonly retryChallenge: Uint8Array | null;
        readonly message: string;
      }
  >;
  /** `socket`: a raw socket for GRE, for the path to use and close; undefined: the monitor could not open one. */
  openTun(): Promise<{ readonly name: string; readonly fd: number; readonly socket?: number | undefined }>;
  openKernel(peerCallId: number): Promise<KernelTunnel>;
  configure(state: { readonly mtu: number; readonly ipv4: Pair | null; readonly ipv6: Pair | null }): Promise<void>;
  /** `cause`: Acct-Terminate-Cause (RFC 2866 §5.10). */
  close(cause?: number): Promise<void>;
}
