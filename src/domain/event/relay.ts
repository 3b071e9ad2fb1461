import { randomUUID } from 'node:crypto';
import { createEvents, type DomainEvent, type Events, keyOf, merge } from './event.ts';

/** Of one notice, whose limit is 8,000. */
const NOTICE_BYTES_MAX = 7500;

/** Different things that may wait to be told. With more, something is wrong with the connection: none is. */
const WAITING_MAX = 1000;

/** The bus of one of several processes. */
export interface EventRelay {
  /** Publishes here and elsewhere. */
  events: Events;
  /** Takes what any of the processes has told; what itself has, it knows. */
  receive(text: string): void;
}

/**
 * A bus whose events also reach the subscribers of other processes, by a notice of their database. While one is on its
 * way, those that come wait for the next one, and become one if they are about one thing: however fast things change, no
 * more notices are sent than are taken. What cannot be told is lost, as for a subscriber who comes too late.
 */
export function createEventRelay(tell: (text: string) => Promise<void>): EventRelay {
  const events = createEvents();
  const from = randomUUID();
  const waiting = new Map<string, DomainEvent>();
  let isTelling = false;

  async function tellAll(): Promise<void> {
    if (isTelling) return;
    isTelling = true;
    while (waiting.size > 0) await tell(JSON.stringify({ from, events: takeBatch(waiting) }));
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
        if (waiting.size > WAITING_MAX) waiting.clear();
        void tellAll();
      },
    },
    receive(text) {
      const told = JSON.parse(text) as { from: string; events: DomainEvent[] };
      if (told.from === from) return;
      for (const event of told.events) events.publish({ ...revived(event), isElsewhere: true });
    },
  };
}

/** Takes as many as a notice holds, and one at least. */
function takeBatch(waiting: Map<string, DomainEvent>): DomainEvent[] {
  const batch: DomainEvent[] = [];
  // Of the sender's name and what is around.
  let sizeBytes = 100;
  for (const [key, event] of waiting) {
    sizeBytes += Buffer.byteLength(JSON.stringify(event)) + 1;
    if (batch.length > 0 && sizeBytes > NOTICE_BYTES_MAX) return batch;
    batch.push(event);
    waiting.delete(key);
  }
  return batch;
}

/** As it was before it was JSON. */
function revived(event: DomainEvent): DomainEvent {
  if (event.type !== 'upload' || event.session === null) return event;
  const expiresAt = new Date(event.session.expiresAt);
  return { ...event, session: { ...event.session, expiresAt } };
}
