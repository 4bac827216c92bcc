/** Which speed limits the kernel applies to a session's interface. The monitor sets them (monitor/speed-limit). */
import { helperOf, type Speed } from '../../monitor/limited-device.js';
import { SystemCallFailed } from '../../sys/libc.js';
import { InterfaceQueries } from '../../sys/network-interface.js';
import { bucketRate } from '../../sys/token-bucket.js';

/** null: no limit, or the interface is gone. */
export function speedInForce(name: string): Speed | null {
  try {
    const queries = new InterfaceQueries();
    try {
      const index = queries.index(name);
      if (index === null) return null;
      const helper = queries.index(helperOf({ index }));
      const speed = { up: helper === null ? null : bucketRate(helper), down: bucketRate(index) };
      return speed.up === null && speed.down === null ? null : speed;
    } finally {
      queries.close();
    }
  } catch (error) {
    if (error instanceof SystemCallFailed) return null;
    throw error;
  }
}
