import { describe, expect, it, vi } from 'vitest';
import { createTurnGroup, createTurns, type Turns } from '../../src/lib/turns.ts';

const tooBusy = () => new Error('too busy');

/** Takes a turn and records its name once it has it. */
function record(turns: Turns, order: string[], name: string, options = {}) {
  return turns.take(options).then((end) => {
    order.push(name);
    return end;
  });
}

/** Resolves after everything that does not wait for time has happened. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Expects that nobody has a turn before `end`, and these have had theirs after it, in this order. */
async function expectAfter(end: () => void, order: string[], expected: string[]) {
  await settle();
  expect(order).toEqual([]);
  end();
  await settle();
  expect(order).toEqual(expected);
}

describe('groups', () => {
  const tooBusy = () => new Error('busy');

  it('take turns, whatever one of them has waiting', async () => {
    const turns = createTurns({ runningMax: 1, tooBusy });
    const order: string[] = [];
    const run = async (group: string, name: string) => {
      const end = await turns.take({ group });
      order.push(name);
      end();
    };
    const end = await turns.take({ group: 'a' });
    const all = ['a1', 'a2', 'a3', 'a4'].map((name) => run('a', name));
    all.push(run('b', 'b1'), run('b', 'b2'), run('c', 'c1'));
    end();
    await Promise.all(all);
    expect(order).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4']);
  });

  it('have limits of their own on running work, and leave the other turns to others', async () => {
    const turns = createTurns({ runningMax: 3, groupRunningMax: 2, tooBusy });
    const order: string[] = [];
    const all = ['a1', 'a2', 'a3'].map((name) => record(turns, order, name, { group: 'a' }));
    void record(turns, order, 'b1', { group: 'b' });
    await settle();
    expect(order).toEqual(['a1', 'a2', 'b1']);
    (await all[0])?.();
    await settle();
    expect(order).toEqual(['a1', 'a2', 'b1', 'a3']);
  });

  it('have limits of their own on waiting work', async () => {
    const turns = createTurns({ runningMax: 1, groupWaitingMax: 1, tooBusy });
    const end = await turns.take({ group: 'a' });
    const waiting = turns.take({ group: 'a' });
    await expect(turns.take({ group: 'a' })).rejects.toThrow('busy');
    const other = turns.take({ group: 'b' });
    end();
    (await waiting)();
    (await other)();
  });
});

describe('a bounded queue', () => {
  it('gives turns in the order of arrival, and hands over an ended one', async () => {
    const order: string[] = [];
    const turns = createTurns({ runningMax: 1, tooBusy });
    const first = await record(turns, order, 'first');
    const second = record(turns, order, 'second');
    void record(turns, order, 'third');
    await settle();
    expect(order).toEqual(['first']);
    first();
    // A newcomer does not overtake.
    void record(turns, order, 'fourth');
    (await second)();
    await settle();
    expect(order).toEqual(['first', 'second', 'third']);
  });

  it('refuses at once when enough are waiting', async () => {
    const turns = createTurns({ runningMax: 1, waitingMax: 1, tooBusy });
    const end = await turns.take();
    const waiting = turns.take();
    await expect(turns.take()).rejects.toThrow('too busy');
    end();
    (await waiting)();
    (await turns.take())();
  });

  it('with no room to wait still gives its free turns', async () => {
    const turns = createTurns({ runningMax: 2, waitingMax: 0, tooBusy });
    const ends = await Promise.all([turns.take(), turns.take()]);
    await expect(turns.take()).rejects.toThrow('too busy');
    ends[0]();
    await turns.take();
  });

  it('lets no light work overtake heavy work', async () => {
    const order: string[] = [];
    const turns = createTurns({ runningMax: 3, weightMax: 10, tooBusy });
    const end = await turns.take({ weight: 6 });
    void record(turns, order, 'heavy', { weight: 8 });
    void record(turns, order, 'light', { weight: 1 });
    await expectAfter(end, order, ['heavy', 'light']);
  });

  it('refuses work that has no turn in time, and serves the next, which may be lighter', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const order: string[] = [];
      const turns = createTurns({ runningMax: 3, weightMax: 10, tooBusy });
      await turns.take({ weight: 6 });
      const heavy = turns.take({ weight: 8, patienceMs: 100 });
      void record(turns, order, 'light', { weight: 1, patienceMs: 1000 });
      const refused = expect(heavy).rejects.toThrow('too busy');
      await vi.advanceTimersByTimeAsync(99);
      expect(order).toEqual([]);
      await vi.advanceTimersByTimeAsync(1);
      await refused;
      expect(order).toEqual(['light']);
      // The light one keeps its turn when its patience is over.
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('a group of queues', () => {
  it('shares one limit, and serves the queue that was added first', async () => {
    const order: string[] = [];
    const group = createTurnGroup(1);
    const before = group.addQueue({ runningMax: 1, tooBusy });
    const after = group.addQueue({ runningMax: 1, tooBusy });
    const end = await after.take();
    void record(after, order, 'after');
    void record(before, order, 'before').then((end) => end());
    await expectAfter(end, order, ['before', 'after']);
  });

  it('serves the second queue while the first one is at its own limit', async () => {
    const group = createTurnGroup(2);
    const first = group.addQueue({ runningMax: 1, tooBusy });
    const second = group.addQueue({ runningMax: 2, tooBusy });
    await first.take();
    void first.take();
    await second.take();
  });
});
