/** Rates of the last minute as two small curves: to the client and from it. */
import type { Rates } from '../model/live-state.js';
import { sparkline } from '../model/sparkline.js';

const SHAPE = { width: 84, height: 24, slots: 30 };
/** Below this rate the curve stays flat, so that a few pings do not look like load: bits per second. */
const LEAST_SCALE = 10_000;

export function Sparkline({ rates }: { rates: Rates }) {
  const recent = rates.slice(-SHAPE.slots);
  const most = Math.max(LEAST_SCALE, ...recent.flat());
  const line = (of: 0 | 1): string =>
    sparkline(
      recent.map((each) => each[of]),
      SHAPE,
      most,
    );
  return (
    <svg class="sparkline" viewBox={`0 0 ${SHAPE.width} ${SHAPE.height}`} aria-hidden="true" focusable="false">
      <path class="line-up" d={line(0)} />
      <path class="line-down" d={line(1)} />
    </svg>
  );
}
