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
    first.receive(text);
    second.receive(text);
  });
  const second = createEventRelay(async () => undefined);
  const deliver = async () => {
    arrived.resolve();
    arrived = Promise.withResolvers();
    await new Promise(setImmediate);
  };
  return { first, second, sent, deliver };
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
});
