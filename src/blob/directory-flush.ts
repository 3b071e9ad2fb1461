import { flushDirectory } from './disk.ts';

interface Flushes {
  running: Promise<void>;
  /** Begins when the running one ends. */
  next: Promise<void> | null;
}

/**
 * Creates a function that makes the names in a directory durable, those that exist when it is called. Calls for one
 * directory during a flush share the next flush.
 */
export function createDirectoryFlush(): (path: string) => Promise<void> {
  const flushes = new Map<string, Flushes>();
  const start = (path: string): Promise<void> => {
    const own: Flushes = { running: flushDirectory(path), next: null };
    flushes.set(path, own);
    const leave = () => {
      if (own.next === null) flushes.delete(path);
    };
    own.running.then(leave, leave);
    return own.running;
  };
  return (path) => {
    const current = flushes.get(path);
    if (current === undefined) return start(path);
    current.next ??= current.running.catch(() => undefined).then(() => start(path));
    return current.next;
  };
}
