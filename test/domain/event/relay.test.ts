import { describe, expect, it } from 'vitest';
import type { DomainEvent } from '../../../src/domain/event/event.ts';
import { createEventRelay } from '../../../src/domain/event/relay.ts';

const SESSION = {
  uploadId: 'a',
  filename: 'é\0😀'.repeat(60),
  offsetBytes: 1,
  totalBytes: 2,
  expiresAt: new Date(5),
};
const UPLOAD: DomainEvent = { type: 'upload', uploadId: 'a', session: SESSION, isOver: false };

/** Creates two processes whose notices wait for `deliver`. `sent`: their texts. */
function makePair() {
  const sent: string[] = [];
  let arrived = Promise.withResolvers<void>();
  const first = createEventRelay(async (text) => {
    sent.push(text);
    await arrived.promise;
    if (isCut) return false;
    first.receive(text);
    second.receive(text);
    return true;
  });
  const second = createEventRelay(async () => true);
  let isCut = false;
  const cut = (value: boolean) => {
    isCut = value;
  };
  const deliver = async () => {
    arrived.resolve();
    arrived = Promise.withResolvers();
    await new Promise(setImmediate);
  };
  return { first, second, sent, deliver, cut };
}

function listen({ events }: ReturnType<typeof createEventRelay>) {
  const heard: DomainEvent[] = [];
  const any = (event: DomainEvent): event is DomainEvent => true;
  const subscription = events.subscribe(any, new AbortController().signal);
  void (async () => {
    for await (const event of subscription) heard.push(event);
  })();
  return heard;
}

describe('a relay of events', () => {
  it('publishes events at once here, and unchanged in other processes once the notice arrives', async () => {
    const { first, second, deliver } = makePair();
    const [here, there] = [listen(first), listen(second)];
    first.events.publish(UPLOAD);
    await new Promise(setImmediate);
    expect([here, there]).toEqual([[UPLOAD], []]);
    await deliver();
    expect([here, there]).toEqual([[UPLOAD], [{ ...UPLOAD, isElsewhere: true }]]);
  });

  it('merges the events of one thing while a notice is being sent', async () => {
    const { first, second, sent, deliver } = makePair();
    const there = listen(second);
    const progress = (fraction: number) => ({ fraction, runStartedAt: 1 });
    for (let count = 0; count < 500; count++) {
      first.events.publish({ type: 'job', id: 1, progress: progress(count / 500) });
    }
    first.events.publish({ type: 'job', id: 1 });
    await deliver();
    await deliver();
    expect(sent).toHaveLength(2);
    expect(there).toEqual([
      { type: 'job', id: 1, progress: progress(0), isElsewhere: true },
      { type: 'job', id: 1, progress: progress(499 / 500), isElsewhere: true },
    ]);
  });

  it('sends notices within PostgreSQL’s limit, however many events wait', async () => {
    const { first, second, sent, deliver } = makePair();
    const there = listen(second);
    for (let count = 0; count < 900; count++) {
      first.events.publish({ ...UPLOAD, uploadId: `${count}` });
    }
    while (there.length < 900) await deliver();
    const sizes = sent.map((text) => Buffer.byteLength(text));
    expect(Math.max(...sizes)).toBeLessThan(8000);
    expect(new Set(there.map((event) => 'uploadId' in event && event.uploadId)).size).toBe(900);
  });

  it('reports a gap to the others once notices arrive again after some were lost', async () => {
    const { first, second, sent, deliver, cut } = makePair();
    const [here, there] = [countGaps(first), countGaps(second)];
    cut(true);
    first.events.publish(UPLOAD);
    await deliver();
    first.events.publish({ ...UPLOAD, uploadId: 'b' });
    await deliver();
    expect([sent.length, here(), there()]).toEqual([2, 0, 0]);
    cut(false);
    first.resume();
    await deliver();
    expect([sent.length, here(), there()]).toEqual([3, 1, 1]);
    first.events.publish(UPLOAD);
    await deliver();
    expect([sent.length, here(), there()]).toEqual([4, 1, 1]);
  });

  it('reports a gap to the others when more events wait than it keeps', async () => {
    const { first, second, deliver } = makePair();
    const gaps = countGaps(second);
    for (let count = 0; count < 1100; count++) {
      first.events.publish({ ...UPLOAD, uploadId: `${count}` });
    }
    await deliver();
    await deliver();
    expect(gaps()).toBe(1);
  });

  it('reports no gap to the others after one of its own, if nothing of its own was lost', async () => {
    const { first, sent } = makePair();
    const here = countGaps(first);
    first.resume();
    expect([here(), sent]).toEqual([1, []]);
  });
});

function countGaps({ events }: ReturnType<typeof createEventRelay>): () => number {
  let gaps = 0;
  events.onGap(() => {
    gaps++;
  });
  return () => gaps;
}
