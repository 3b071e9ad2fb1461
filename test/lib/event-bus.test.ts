import { expect, test } from 'vitest';
import { createEventBus } from '../../src/lib/event-bus.ts';

interface Count {
  name: string;
  count: number;
}

const isAny = (_event: Count): _event is Count => true;
const count = (name: string, count: number): Count => ({ name, count });

function createBus() {
  return createEventBus<Count>({
    keyOf: ({ name }) => name,
    merge: (earlier, later) => count(later.name, earlier.count + later.count),
    waitingMax: 2,
    tooSlow: () => new Error('too slow'),
  });
}

function subscribe(bus = createBus()) {
  const controller = new AbortController();
  return { bus, controller, events: bus.subscribe(isAny, controller.signal) };
}

test('a subscriber receives the events that it selects, from its subscription on', async () => {
  const bus = createBus();
  bus.publish(count('before', 1));
  const { events } = subscribe(bus);
  const isB = (event: Count): event is Count => event.name === 'b';
  const chosen = bus.subscribe(isB, new AbortController().signal);
  bus.publish(count('a', 1));
  bus.publish(count('b', 1));
  expect(await events.next()).toEqual({ done: false, value: count('a', 1) });
  expect(await events.next()).toEqual({ done: false, value: count('b', 1) });
  expect(await chosen.next()).toEqual({ done: false, value: count('b', 1) });
});

test('a waiting subscriber receives an event at once', async () => {
  const { bus, events } = subscribe();
  const next = events.next();
  bus.publish(count('a', 1));
  expect(await next).toEqual({ done: false, value: count('a', 1) });
});

test('pending events with the same key are merged, in the position of the first', async () => {
  const { bus, events } = subscribe();
  for (let index = 0; index < 1000; index += 1) bus.publish(count('a', 1));
  bus.publish(count('b', 1));
  bus.publish(count('a', 1));
  expect((await events.next()).value).toEqual(count('a', 1001));
  expect((await events.next()).value).toEqual(count('b', 1));
});

test('a subscriber that is too slow gets one error and is unsubscribed', async () => {
  const { bus, events } = subscribe();
  for (const name of ['a', 'b', 'c', 'd']) bus.publish(count(name, 1));
  expect(bus.subscriberCount()).toBe(0);
  await expect(events.next()).rejects.toThrow('too slow');
  expect(await events.next()).toEqual({ done: true, value: undefined });
});

test('the signal ends a subscription, even while it waits', async () => {
  const { bus, controller, events } = subscribe();
  const next = events.next();
  controller.abort();
  expect(await next).toEqual({ done: true, value: undefined });
  expect(bus.subscriberCount()).toBe(0);
});

test('an aborted signal creates no subscription', async () => {
  const bus = createBus();
  const events = bus.subscribe(isAny, AbortSignal.abort());
  expect(bus.subscriberCount()).toBe(0);
  expect(await events.next()).toEqual({ done: true, value: undefined });
});

test('`return` ends a subscription, even while it waits', async () => {
  const { bus, events } = subscribe();
  const next = events.next();
  await events.return?.();
  expect(await next).toEqual({ done: true, value: undefined });
  expect(bus.subscriberCount()).toBe(0);
});
