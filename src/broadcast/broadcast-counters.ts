/** What the relay did and left undone, told once a minute when there is something to tell. */

export interface Counters {
  /** Broadcasts that came in and were sent on. */
  relayed: number;
  /** Packets sent for them, one for each other interface. */
  sent: number;
  malformed: number;
  /** Copies of what was relayed before. */
  copies: number;
  /** Beyond what one interface may send. */
  tooMany: number;
  /** Larger than the outgoing interface's MTU. */
  tooBig: number;
  /** The outgoing interface went away meanwhile. */
  interfaceGone: number;
  /** The system refused to send, its queues being full. */
  sendFailed: number;
  /** Came in faster than they were fetched. */
  droppedByKernel: number;
}

export const noCounts = (): Counters => ({
  relayed: 0,
  sent: 0,
  malformed: 0,
  copies: 0,
  tooMany: 0,
  tooBig: 0,
  interfaceGone: 0,
  sendFailed: 0,
  droppedByKernel: 0,
});

/** Those that are not 0; null when all are. */
export function counted(counters: Counters): Partial<Counters> | null {
  const entries = Object.entries(counters).filter(([, count]) => count > 0);
  return entries.length === 0 ? null : Object.fromEntries(entries);
}
