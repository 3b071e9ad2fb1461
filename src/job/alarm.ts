/** Sleep that others can end. */
export interface Alarm {
  /** Resolves after so many milliseconds, or when it is rung: at once, if it was rung since the last time. */
  wait(timeoutMs: number): Promise<void>;
  ring(): void;
}

/** One that nobody has rung. */
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
