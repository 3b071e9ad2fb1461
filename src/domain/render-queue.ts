import { BrokenImageError } from '../media/probe.ts';
import { ServerBusyError } from './error.ts';
import type { Rendition } from './rendition.ts';

/** The renditions that are being made in this process. */
export interface RenderQueue {
  /**
   * What `work` makes; whoever asks for the same key meanwhile gets the same. A key whose picture was found to
   * be broken is not tried again for a minute. Throws ServerBusyError when too many others are being made.
   */
  run(key: string, work: () => Promise<Rendition>): Promise<Rendition>;
}

/** What a queue may hold. */
export interface RenderQueueOptions {
  clock: () => number;
  /** Renditions that are being made or wait for it; two are made at once. (Default: 64) */
  waitingMax?: number;
}

const BROKEN_KEPT_MS = 60_000;
const BROKEN_MAX = 1000;

/** How long those that wait take, about. */
const RETRY_AFTER_MS = 5000;

/** A queue of its own: two of them do not know of each other. */
export function createRenderQueue({ clock, waitingMax = 64 }: RenderQueueOptions): RenderQueue {
  const running = new Map<string, Promise<Rendition>>();
  const broken = new Map<string, { error: BrokenImageError; until: number }>();
  function remember(key: string, error: unknown): void {
    if (!(error instanceof BrokenImageError)) return;
    broken.delete(key);
    broken.set(key, { error, until: clock() + BROKEN_KEPT_MS });
    const [oldest] = broken.keys();
    if (broken.size > BROKEN_MAX && oldest !== undefined) broken.delete(oldest);
  }
  async function make(key: string, work: () => Promise<Rendition>): Promise<Rendition> {
    try {
      return await work();
    } catch (error) {
      remember(key, error);
      throw error;
    } finally {
      running.delete(key);
    }
  }
  return {
    async run(key, work) {
      const known = broken.get(key);
      if (known !== undefined && clock() < known.until) throw known.error;
      const other = running.get(key);
      if (other !== undefined) return other;
      if (running.size >= waitingMax) throw new ServerBusyError(RETRY_AFTER_MS);
      const made = make(key, work);
      running.set(key, made);
      return made;
    },
  };
}
