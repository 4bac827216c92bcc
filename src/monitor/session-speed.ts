/** The speed limit in force at a session's interface. It is saved before it is made. */
import type { Logger } from '../log/logger.js';
import { messageOf } from '../sys/thrown.js';
import type { Step } from './iproute.js';
import {
  isSameSpeed,
  type LimitedDevice,
  NEEDED_MODULES,
  type Speed,
  stepsAtEnd,
  stepsFor,
  UNLIMITED,
} from './speed-limit.js';

export interface SessionSpeedOptions {
  /** In force already, since before the monitor died. */
  readonly saved: Speed;
  /** Writes `value` down. */
  readonly save: () => void;
  /** Rejects with a sentence. */
  readonly take: (steps: readonly Step[]) => Promise<void>;
  readonly log: Logger;
}

export class SessionSpeed {
  readonly #options: SessionSpeedOptions;
  #value: Speed;
  #removing: Promise<void> = Promise.resolve();

  constructor(options: SessionSpeedOptions) {
    this.#options = options;
    this.#value = options.saved;
  }

  get value(): Speed {
    return this.#value;
  }

  /** Resolves when what `remove` has begun has ended. */
  get idle(): Promise<void> {
    return this.#removing;
  }

  /** Resolves with whether it is in force; never rejects. Without the kernel's support there is no limit, and a log line. */
  async limit(device: LimitedDevice, speed: Speed): Promise<boolean> {
    const { save, take, log } = this.#options;
    const before = this.#value;
    if (isSameSpeed(before, speed)) return true;
    // Saved first: whatever happens, the remains of a limit can be removed.
    this.#value = speed;
    save();
    try {
      await take(stepsFor(device, before, speed));
      log.info({ interface: device.name, speed }, 'speed limited');
      return true;
    } catch (error) {
      log.error(
        { interface: device.name, speed },
        `cannot limit the speed of ${device.name}: ${messageOf(error)}. The kernel needs ${NEEDED_MODULES}`,
      );
      this.#value = UNLIMITED;
      // Half a limit would be in the way of the next one. Removing the half that was not made fails, which is ignored.
      for (const step of stepsFor(device, speed, UNLIMITED)) await take([step]).catch(() => undefined);
      return false;
    }
  }

  /** The interface goes: removes what does not go with it. */
  remove(device: LimitedDevice): void {
    const { take, log } = this.#options;
    const steps = stepsAtEnd(device, this.#value);
    this.#value = UNLIMITED;
    if (steps.length === 0) return;
    this.#removing = Promise.all([this.#removing, take(steps)]).then(
      () => undefined,
      (error: unknown) => log.warn(`cannot remove the speed limit of ${device.name}: ${messageOf(error)}`),
    );
  }
}
