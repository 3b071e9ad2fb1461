/** Delivers each published event to the current subscribers. Stores no events for later subscribers. */
export interface EventBus<Event> {
  /** Publishes an event. Returns at once and never throws. */
  publish(event: Event): void;
  /**
   * Returns the events published from now on for which `isChosen` returns true, until the signal aborts. Iterate the
   * result only once. It subscribes at once, so an event between this call and the first `next` is not lost.
   */
  subscribe<Chosen extends Event>(
    isChosen: (event: Event) => event is Chosen,
    signal: AbortSignal,
  ): AsyncIterableIterator<Chosen, undefined>;
  /** Reports that events from other processes may have been lost. Does not end subscriptions. */
  reportGap(): void;
  /** Calls the listener at each gap. */
  onGap(listener: () => void): void;
  /** Returns the number of subscribers. */
  subscriberCount(): number;
}

/** Bounds the memory that a slow subscriber uses. */
export interface EventBusOptions<Event> {
  /** Names the subject of an event. Waiting events with one key are merged into one. */
  keyOf: (event: Event) => string;
  /** Merges two events that a subscriber has not yet received. */
  merge: (earlier: Event, later: Event) => Event;
  /** Most keys that may wait for one subscriber. */
  waitingMax: number;
  /** Creates the error that `next` throws for a subscriber that is too slow; it receives nothing afterwards. */
  tooSlow: () => Error;
}

/** Creates a bus without subscribers. */
export function createEventBus<Event>(options: EventBusOptions<Event>): EventBus<Event> {
  const subscriptions = new Set<Subscription<Event>>();
  const gapListeners: (() => void)[] = [];
  return {
    publish: (event) => {
      for (const subscription of subscriptions) subscription.offer(event);
    },
    subscribe: <Chosen extends Event>(
      isChosen: (event: Event) => event is Chosen,
      signal: AbortSignal,
    ) => {
      const subscription = new Subscription(options, isChosen, () => {
        subscriptions.delete(subscription);
        signal.removeEventListener('abort', end);
      });
      const end = () => subscription.end();
      subscriptions.add(subscription);
      signal.addEventListener('abort', end);
      if (signal.aborted) end();
      // Merging two chosen events yields a chosen event.
      return subscription as AsyncIterableIterator<Chosen, undefined>;
    },
    reportGap: () => {
      for (const listener of gapListeners) listener();
    },
    onGap: (listener) => void gapListeners.push(listener),
    subscriberCount: () => subscriptions.size,
  };
}

type Result<Event> = IteratorResult<Event, undefined>;

/**
 * One subscriber. It is not a generator: `return` of a generator waits for a pending `next`, so a client that has left
 * would stay subscribed until the next event.
 */
class Subscription<Event> implements AsyncIterableIterator<Event, undefined> {
  readonly #waiting = new Map<string, Event>();
  readonly #options: EventBusOptions<Event>;
  readonly #isChosen: (event: Event) => boolean;
  readonly #onEnd: () => void;
  #wake: ((result: Result<Event>) => void) | null = null;
  #isOver = false;
  #error: Error | null = null;

  constructor(
    options: EventBusOptions<Event>,
    isChosen: (event: Event) => boolean,
    onEnd: () => void,
  ) {
    this.#options = options;
    this.#isChosen = isChosen;
    this.#onEnd = onEnd;
  }

  offer(event: Event): void {
    if (!this.#isChosen(event)) return;
    if (this.#wake !== null) this.#answer({ done: false, value: event });
    else this.#keep(event);
  }

  #keep(event: Event): void {
    const { keyOf, merge, waitingMax, tooSlow } = this.#options;
    const key = keyOf(event);
    const earlier = this.#waiting.get(key);
    this.#waiting.set(key, earlier === undefined ? event : merge(earlier, event));
    if (this.#waiting.size <= waitingMax) return;
    this.end();
    this.#error = tooSlow();
  }

  end(): void {
    this.#isOver = true;
    this.#waiting.clear();
    this.#onEnd();
    this.#answer({ done: true, value: undefined });
  }

  async next(): Promise<Result<Event>> {
    const [first] = this.#waiting;
    if (first !== undefined) {
      this.#waiting.delete(first[0]);
      return { done: false, value: first[1] };
    }
    const error = this.#error;
    this.#error = null;
    if (error !== null) throw error;
    if (this.#isOver) return { done: true, value: undefined };
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  async return(): Promise<Result<Event>> {
    this.end();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #answer(result: Result<Event>): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.(result);
  }
}
