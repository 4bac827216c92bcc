/** What a link asks of the monitor, which is root (src/monitor). Every function may reject, with a sentence. */
import type { StartKeys } from '../../mschap/start-keys.js';
import type { AuthenticationRequest } from '../../ppp/engine/engine.js';

interface Pair {
  readonly local: string;
  readonly remote: string;
}

export interface SessionMonitor {
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
        /** Limits of this login, seconds. */
        readonly sessionTime?: number | null;
        readonly idleTime?: number | null;
      }
    | { readonly accepted: false; readonly code: number; readonly retry: boolean; readonly message: string }
  >;
  openTun(): Promise<{ readonly name: string; readonly fd: number }>;
  configure(state: { readonly mtu: number; readonly ipv4: Pair | null; readonly ipv6: Pair | null }): Promise<void>;
  /** `cause`: Acct-Terminate-Cause (RFC 2866 §5.10). */
  close(cause?: number): Promise<void>;
}
