import { closeDescriptor } from './descriptor.ts';

/** Files that stay open between two chunks of their uploads. */
const OPEN_MAX = 64;

/** Descriptors of staged files that their next append uses again. */
export interface KeptDescriptors {
  /** Returns the descriptor of a file, which the caller then owns. */
  take(key: string): number | undefined;
  /** Keeps a descriptor, and closes it if it is not taken for a while, or if there are too many. */
  keep(key: string, fd: number): void;
  /** Closes the descriptor of a file, if there is one. */
  close(key: string): void;
  closeAll(): void;
}

/**
 * Keeps descriptors for `idleMs` at most. Opening and closing a file for each chunk takes a twentieth of the time of an
 * upload in chunks of 1 MiB.
 */
export function createKeptDescriptors(idleMs: number): KeptDescriptors {
  const kept = new Map<string, { fd: number; timer: NodeJS.Timeout }>();
  const take = (key: string): number | undefined => {
    const entry = kept.get(key);
    if (entry === undefined) return undefined;
    clearTimeout(entry.timer);
    kept.delete(key);
    return entry.fd;
  };
  const close = (key: string): void => {
    const fd = take(key);
    if (fd !== undefined) closeDescriptor(fd);
  };
  return {
    take,
    keep(key, fd) {
      close(key);
      const [oldest] = kept.keys();
      if (kept.size >= OPEN_MAX && oldest !== undefined) close(oldest);
      kept.set(key, { fd, timer: setTimeout(close, idleMs, key).unref() });
    },
    close,
    closeAll() {
      for (const key of [...kept.keys()]) close(key);
    },
  };
}
