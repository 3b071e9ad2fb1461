/** Events from whoever publishes to whoever listens at that moment; nothing is kept. */
export interface EventBus<Event> {
  /** Never waits, never throws. */
  publish(event: Event): void;
  /**
   * What is published from now on and chosen, until the signal is aborted. Iterate it once. It listens
   * from this call on: what happens between the call and the first `next` is not lost.
   */
  subscribe<Chosen extends Event>(
    isChosen: (event: Event) => event is Chosen,
    signal: AbortSignal,
  ): AsyncIterableIterator<Chosen, undefined>;
  /** How many listen: 0 again when all of them are gone. */
  subscriberCount(): number;
}

/** What keeps the memory of a slow subscriber within bounds. */
export interface EventBusOptions<Event> {
  /** Events of one key are about one thing: while they wait, they become one. */
  keyOf: (event: Event) => string;
  /** What a subscriber is told that has seen neither of two. */
  merge: (earlier: Event, later: Event) => Event;
  /** How many things may wait for one subscriber. */
  waitingMax: number;
  /** What `next` of one that is too slow throws, after which it gets nothing more. */
  tooSlow: () => Error;
}

/** A bus without subscribers. */
export function createEventBus<Event>(options: EventBusOptions<Event>): EventBus<Event> {
  const subscriptions = new Set<Subscription<Event>>();
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
      // Its keys keep apart what it has chosen: `merge` makes a chosen one of two.
      return subscription as AsyncIterableIterator<Chosen, undefined>;
    },
    subscriberCount: () => subscriptions.size,
  };
}

type Result<Event> = IteratorResult<Event, undefined>;

/**
 * One subscriber. No generator: `return` of one that waits for `next` would wait with it, and a client
 * that is gone would stay subscribed until something happens.
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
