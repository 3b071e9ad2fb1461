/** A sleep that can be interrupted. */
export interface Alarm {
  /** Resolves after `timeoutMs` or at the next ring; at once if it has rung since the last wait. */
  wait(timeoutMs: number): Promise<void>;
  ring(): void;
}

/** Creates an alarm that has not rung. */
export function createAlarm(): Alarm {
  let hasRung = false;
  let wakeUp: (() => void) | undefined;
  return {
    async wait(timeoutMs) {
      if (!hasRung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, timeoutMs);
          wakeUp = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        wakeUp = undefined;
      }
      hasRung = false;
    },
    ring() {
      hasRung = true;
      wakeUp?.();
    },
  };
}
