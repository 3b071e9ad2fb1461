import { describe, expect, it } from 'vitest';
import { createDutyOwner } from '../../../src/start/cluster/duty-owner.ts';
import { createHub } from '../../../src/start/cluster/hub.ts';
import type { ToWorker } from '../../../src/start/cluster/message.ts';
import { createRestarts } from '../../../src/start/cluster/restart.ts';

/** A worker that takes its messages only when it is told to. */
function makeWorker(name: string) {
  const messages: ToWorker[] = [];
  const unsent: (() => void)[] = [];
  const send = (message: ToWorker, onSent: () => void) => {
    messages.push(message);
    unsent.push(onSent);
  };
  const take = () => {
    for (const onSent of unsent.splice(0)) onSent();
  };
  return { name, send, messages, take };
}

describe('the hub', () => {
  it('passes a notice on to all workers but its sender', () => {
    const hub = createHub();
    const [a, b, c] = ['a', 'b', 'c'].map(makeWorker) as [Worker, Worker, Worker];
    for (const worker of [a, b, c]) hub.join(worker);
    hub.receive('a', { type: 'notice', text: 'x' });
    expect([a, b, c].map(({ messages }) => messages.length)).toEqual([0, 1, 1]);
    expect(b.messages).toEqual([{ type: 'notice', text: 'x' }]);
  });

  it('tells a worker that is too slow that it has missed notices, once it has taken the others', () => {
    const hub = createHub(3);
    const [a, b] = ['a', 'b'].map(makeWorker) as [Worker, Worker];
    for (const worker of [a, b]) hub.join(worker);
    for (let count = 0; count < 5; count++) hub.receive('a', { type: 'notice', text: `${count}` });
    expect(b.messages).toHaveLength(3);
    b.take();
    expect(b.messages.slice(3)).toEqual([{ type: 'gap' }]);
    b.take();
    hub.receive('a', { type: 'notice', text: 'x' });
    expect(b.messages.slice(4)).toEqual([{ type: 'notice', text: 'x' }]);
  });

  it('tells the others that a worker has ended, once', () => {
    const hub = createHub();
    const [a, b] = ['a', 'b'].map(makeWorker) as [Worker, Worker];
    for (const worker of [a, b]) hub.join(worker);
    hub.leave('a');
    hub.leave('a');
    expect(b.messages).toEqual([{ type: 'gap', ended: 'a' }]);
  });

  it('gives the sign-in link to one worker, and to another if that returns it', () => {
    const hub = createHub();
    const [a, b] = ['a', 'b'].map(makeWorker) as [Worker, Worker];
    for (const worker of [a, b]) hub.join(worker);
    hub.receive('a', { type: 'take-link' });
    hub.receive('b', { type: 'take-link' });
    hub.receive('a', { type: 'return-link' });
    hub.receive('b', { type: 'take-link' });
    const link = (isTaken: boolean) => ({ type: 'link', isTaken });
    expect([a.messages, b.messages]).toEqual([[link(true)], [link(false), link(true)]]);
  });

  it('gives the turn to write in the order of the requests, and takes it from a worker that has ended', () => {
    const hub = createHub();
    const workers = ['a', 'b', 'c'].map(makeWorker) as [Worker, Worker, Worker];
    for (const worker of workers) hub.join(worker);
    const types = () => workers.map(({ messages }) => messages.splice(0).map(({ type }) => type));
    hub.receive('a', { type: 'want-write' });
    expect(types()).toEqual([['write'], [], []]);
    hub.receive('b', { type: 'want-write' });
    hub.receive('c', { type: 'want-write' });
    expect(types()).toEqual([['write-wanted'], [], []]);
    hub.receive('a', { type: 'end-write' });
    expect(types()).toEqual([[], ['write', 'write-wanted'], []]);
    hub.leave('b');
    expect(types()).toEqual([['gap'], [], ['write', 'gap']]);
  });
});

type Worker = ReturnType<typeof makeWorker>;

describe('the owner of the jobs', () => {
  it('is the first worker, and after its end the next, which learns whose jobs are lost', () => {
    const owner = createDutyOwner();
    const [a, b, c] = ['a', 'b', 'c'].map(makeWorker) as [Worker, Worker, Worker];
    for (const worker of [a, b]) owner.join(worker);
    owner.leave('a');
    owner.leave('b');
    owner.join(c);
    expect([a, b, c].map(({ messages }) => messages)).toEqual([
      [{ type: 'run-jobs', lost: [] }],
      [{ type: 'run-jobs', lost: ['a'] }],
      [{ type: 'run-jobs', lost: ['a', 'b'] }],
    ]);
  });
});

describe('restarts', () => {
  it('wait longer each time, up to ten seconds, and not after a calm minute', () => {
    let now = 0;
    const { delayMs } = createRestarts(() => now);
    const delays = Array.from({ length: 10 }, delayMs);
    expect(delays.slice(0, 4)).toEqual([0, 100, 200, 400]);
    expect(delays.at(-1)).toBe(10_000);
    now = 60_001;
    expect(delayMs()).toBe(0);
  });
});
