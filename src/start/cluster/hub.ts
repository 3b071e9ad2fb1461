import type { FromWorker, ToWorker } from './message.ts';
import { createWriteTurns } from './write-gate.ts';

/** The way to one worker. */
export interface Line {
  /** The worker's name. */
  name: string;
  /** Sends a message. Calls `onSent` when the worker's channel has taken it, or is broken. */
  send(message: ToWorker, onSent: () => void): void;
}

/** Passes notices, the sign-in link and the turn to write between workers. */
export interface Hub {
  join(line: Line): void;
  /** Tells the others that a worker has ended. Does nothing if it never joined. */
  leave(name: string): void;
  receive(from: string, message: FromWorker): void;
}

/** Maximum number of notices that wait for one worker: some MB at most. */
const WAITING_MAX = 1000;

interface Place extends Line {
  waiting: number;
  hasGap: boolean;
}

/**
 * Creates a hub without workers. A worker that takes notices more slowly than the others send them loses some, and is
 * told so; so is everyone when a worker ends, which may have committed a change without a notice.
 */
export function createHub(waitingMax = WAITING_MAX): Hub {
  const places = new Map<string, Place>();
  let isLinkTaken = false;
  const turns = createWriteTurns((name, answer) => {
    const place = places.get(name);
    if (place !== undefined) send(place, answer);
  });

  function send(place: Place, message: ToWorker): void {
    place.waiting += 1;
    place.send(message, () => {
      place.waiting -= 1;
      if (place.waiting > 0 || !place.hasGap) return;
      place.hasGap = false;
      send(place, { type: 'gap' });
    });
  }

  function notify(place: Place, text: string): void {
    if (place.waiting >= waitingMax) place.hasGap = true;
    else send(place, { type: 'notice', text });
  }

  return {
    join: (line) => void places.set(line.name, { ...line, waiting: 0, hasGap: false }),
    leave(name) {
      if (!places.delete(name)) return;
      turns.leave(name);
      for (const place of places.values()) send(place, { type: 'gap', ended: name });
    },
    receive(from, message) {
      if (message.type === 'notice') {
        for (const place of places.values()) if (place.name !== from) notify(place, message.text);
      } else if (message.type === 'take-link') {
        const place = places.get(from);
        if (place !== undefined) send(place, { type: 'link', isTaken: !isLinkTaken });
        isLinkTaken ||= place !== undefined;
      } else if (message.type === 'return-link') {
        isLinkTaken = false;
      } else if (message.type === 'want-write' || message.type === 'end-write') {
        turns.receive(from, message);
      }
    },
  };
}
