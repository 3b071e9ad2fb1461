import { randomUUID } from 'node:crypto';
import { createEvents, type DomainEvent, type Events, keyOf, merge } from './event.ts';

/** Maximum size of one notice, in bytes; the limit of PostgreSQL is 8,000. */
const NOTICE_BYTES_MAX = 7500;

/**
 * Maximum number of things with events that wait to be sent. More mean that the connection is broken: all are dropped.
 */
const WAITING_MAX = 1000;

/** The bus of one of several processes. */
export interface EventRelay {
  /** Publishes to this process and the others. */
  events: Events;
  /** Receives the notices of all processes; ignores its own. */
  receive(text: string): void;
  /**
   * Reports that this process may have missed notices of others. Tells the others if they have missed notices of this
   * one.
   */
  resume(): void;
}

/**
 * Creates a bus whose events also reach the subscribers of other processes, by notices. While a notice is being sent, new
 * events wait for the next one, and those of the same thing are merged: however fast things change, notices are not sent
 * faster than they are accepted. `tell` returns whether the notice was sent. If one was lost, the next one makes the
 * other processes report a gap. `onJob` is called when another process has changed jobs, or may have.
 */
export function createEventRelay(
  tell: (text: string) => Promise<boolean>,
  onJob: () => void = () => undefined,
): EventRelay {
  const events = createEvents();
  const from = randomUUID();
  const waiting = new Map<string, DomainEvent>();
  let isTelling = false;
  let hasLost = false;

  function lose(): void {
    waiting.clear();
    hasLost = true;
  }

  async function tellAll(): Promise<void> {
    if (isTelling) return;
    isTelling = true;
    let isTold = true;
    while (isTold && (waiting.size > 0 || hasLost)) {
      const hasGap = hasLost;
      hasLost = false;
      isTold = await tell(JSON.stringify({ from, events: takeBatch(waiting), hasGap }));
      if (!isTold) lose();
    }
    isTelling = false;
  }

  return {
    events: {
      ...events,
      publish(event) {
        events.publish(event);
        const key = keyOf(event);
        const earlier = waiting.get(key);
        waiting.set(key, earlier === undefined ? event : merge(earlier, event));
        if (waiting.size > WAITING_MAX) lose();
        void tellAll();
      },
    },
    receive(text) {
      const notice = JSON.parse(text) as Notice;
      if (notice.from === from) return;
      for (const event of notice.events) events.publish({ ...revived(event), isElsewhere: true });
      if (notice.events.some(({ type }) => type === 'job') || notice.hasGap) onJob();
      if (notice.hasGap) events.reportGap();
    },
    resume() {
      onJob();
      events.reportGap();
      if (hasLost) void tellAll();
    },
  };
}

interface Notice {
  from: string;
  events: DomainEvent[];
  /** Whether the sender has lost earlier events. */
  hasGap: boolean;
}

/** Takes as many events as fit into a notice, at least one if there is one. */
function takeBatch(waiting: Map<string, DomainEvent>): DomainEvent[] {
  const batch: DomainEvent[] = [];
  // For the sender's name and the punctuation.
  let sizeBytes = 100;
  for (const [key, event] of waiting) {
    sizeBytes += Buffer.byteLength(JSON.stringify(event)) + 1;
    if (batch.length > 0 && sizeBytes > NOTICE_BYTES_MAX) return batch;
    batch.push(event);
    waiting.delete(key);
  }
  return batch;
}

/** Restores an event from JSON. */
function revived(event: DomainEvent): DomainEvent {
  if (event.type !== 'upload' || event.session === null) return event;
  const expiresAt = new Date(event.session.expiresAt);
  return { ...event, session: { ...event.session, expiresAt } };
}
