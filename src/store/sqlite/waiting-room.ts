import { DatabaseUnavailableError } from '../error.ts';

/** Statements that wait for a reader. */
export interface WaitingRoom<Place> {
  /** Number of requests. */
  readonly size: number;
  /**
   * Waits for a place. Owners take turns, and so do the requests of an owner: an owner with many requests delays
   * another one by only one statement. Throws DatabaseUnavailableError after `patienceMs`, when the signal aborts, and
   * when the room closes.
   */
  wait(options: WaitOptions): Promise<Place>;
  /** Gives the next one a place. */
  admit(place: Place): void;
  close(): void;
}

/** Who waits, and how long. */
export interface WaitOptions {
  patienceMs: number;
  /** Statements with the same signal belong to one request. */
  signal: AbortSignal | undefined;
  /** A viewer or an address. Undefined for the server itself. */
  owner: string | undefined;
}

/** The statements of one request. */
type Seats<Place> = Set<PromiseWithResolvers<Place>>;

/** Creates an empty waiting room. */
export function createWaitingRoom<Place>(): WaitingRoom<Place> {
  // Maps keep their order: the first owner, and its first request, are next.
  const owners = new Map<string | undefined, Map<AbortSignal | undefined, Seats<Place>>>();
  const seatsOf = ({ owner, signal }: WaitOptions): Seats<Place> => {
    const requests = owners.get(owner) ?? new Map();
    const seats = requests.get(signal) ?? new Set();
    owners.set(owner, requests.set(signal, seats));
    return seats;
  };
  const leave = (seat: PromiseWithResolvers<Place>, { owner, signal }: WaitOptions) => {
    const requests = owners.get(owner);
    const seats = requests?.get(signal);
    seats?.delete(seat);
    if (seats?.size === 0) requests?.delete(signal);
    if (requests?.size === 0) owners.delete(owner);
  };
  return {
    get size() {
      return owners.values().reduce((sum, requests) => sum + requests.size, 0);
    },
    async wait(options) {
      const { patienceMs, signal } = options;
      const seat = Promise.withResolvers<Place>();
      seatsOf(options).add(seat);
      const giveUp = (reason: 'timeout' | 'cancelled') => {
        leave(seat, options);
        seat.reject(new DatabaseUnavailableError(reason));
      };
      const patience = setTimeout(giveUp, patienceMs, 'timeout');
      const cancel = () => giveUp('cancelled');
      signal?.addEventListener('abort', cancel);
      try {
        return await seat.promise;
      } finally {
        clearTimeout(patience);
        signal?.removeEventListener('abort', cancel);
      }
    },
    admit(place) {
      const seat = takeNext(owners, (requests) => takeNext(requests, takeFirst));
      seat?.resolve(place);
    },
    close() {
      const seats = owners.values().flatMap((requests) => requests.values());
      for (const { reject } of seats.flatMap((of) => of.values())) {
        reject(new DatabaseUnavailableError('connection'));
      }
      owners.clear();
    },
  };
}

/** Takes from the first of some queues, which becomes the last one, or is removed once it is empty. */
function takeNext<Key, Queue extends { size: number }, Taken>(
  queues: Map<Key, Queue>,
  take: (queue: Queue) => Taken,
): Taken | undefined {
  for (const [key, queue] of queues) {
    const taken = take(queue);
    queues.delete(key);
    if (queue.size > 0) queues.set(key, queue);
    return taken;
  }
  return undefined;
}

function takeFirst<Seat>(seats: Set<Seat>): Seat | undefined {
  const [first] = seats;
  if (first !== undefined) seats.delete(first);
  return first;
}
