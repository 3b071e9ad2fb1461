import { expect, test } from 'vitest';
import { transact } from '../../../src/domain/context.ts';
import { SubscriptionLaggedError } from '../../../src/domain/error.ts';
import {
  createEvents,
  type DomainEvent,
  type MediaChangeKind,
  merge,
} from '../../../src/domain/event/event.ts';
import { createMedia } from '../../../src/domain/tree/link.ts';
import { watchMedias } from '../../../src/domain/tree/watch.ts';
import { type TestServices, user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';

const LINK = { type: 'image', url: 'https://x.org' } as const;
const isAny = (_event: DomainEvent): _event is DomainEvent => true;
const media = (kind: MediaChangeKind, id = 1): DomainEvent => ({
  type: 'media',
  kind,
  id,
  before: { id, parent_id: null, path: '', owner: null, is_public: 0 },
  folderIds: [],
});

/** Returns the events that are published meanwhile. */
async function eventsOf({ events }: TestServices, work: () => Promise<unknown>) {
  const seen: DomainEvent[] = [];
  const { publish } = events;
  events.publish = (event) => void seen.push(event);
  await work().finally(() => {
    events.publish = publish;
  });
  return seen;
}

test('the event of a commit does not hide the progress that a run has reported before it', () => {
  const reported: DomainEvent = {
    type: 'job',
    id: 1,
    progress: { fraction: 0.5, runStartedAt: 1 },
  };
  expect(merge(reported, { type: 'job', id: 1 })).toEqual(reported);
});

describeEachBackend('events', (backend) => {
  test('are published after the commit, also those of joined transactions', () =>
    withServices(backend, async (services) => {
      const seen = await eventsOf(services, () =>
        transact(services.as(user()), async (ctx) => {
          await createMedia(ctx, LINK);
          await createMedia(ctx, LINK);
          ctx.events.publish({ type: 'job', id: 0 });
        }),
      );
      expect(seen.map(({ type }) => type)).toEqual(['media', 'media', 'job']);
    }));

  test('are not published before the commit', () =>
    withServices(backend, async (services) => {
      const seen: DomainEvent[] = [];
      const ctx = { ...services.as(user()) };
      ctx.events = { ...services.events, publish: (event) => void seen.push(event) };
      await transact(ctx, async (ctx) => {
        await createMedia(ctx, LINK);
        expect(seen).toEqual([]);
      });
      expect(seen).toHaveLength(1);
    }));

  test('of a transaction that is rolled back are never published', () =>
    withServices(backend, async (services) => {
      const seen = await eventsOf(services, async () => {
        const rolledBack = transact(services.as(user()), async (ctx) => {
          await createMedia(ctx, LINK);
          throw new Error('rolled back');
        });
        await expect(rolledBack).rejects.toThrow('rolled back');
      });
      expect(seen).toEqual([]);
    }));

  test('a subscriber that does not read gets an error that events were lost', () =>
    withServices(backend, async (services) => {
      const { signal } = new AbortController();
      const changes = watchMedias(services.as(user()), { folderId: undefined }, signal);
      for (let id = 0; id <= 1000; id += 1) services.events.publish(media('deleted', id));
      expect(services.events.subscriberCount()).toBe(0);
      await expect(changes[Symbol.asyncIterator]().next()).rejects.toThrow(SubscriptionLaggedError);
    }));
});

test.each([
  [['created', 'updated'], 'created'],
  [['created', 'moved', 'updated'], 'created'],
  [['updated', 'moved'], 'moved'],
  [['moved', 'updated'], 'moved'],
  [['created', 'updated', 'deleted'], 'deleted'],
] as const)(
  'of one media item are merged while they wait: %j becomes %s',
  async (kinds, expected) => {
    const events = createEvents();
    const subscription = events.subscribe(isAny, new AbortController().signal);
    for (const kind of kinds) events.publish(media(kind));
    expect((await subscription.next()).value).toMatchObject(media(expected));
    expect(events.subscriberCount()).toBe(1);
  },
);

test('the progress of an upload is published also if the upload has ended by then', async () => {
  const events = createEvents();
  const subscription = events.subscribe(isAny, new AbortController().signal);
  const session = { uploadId: 'a', offsetBytes: 10 } as never;
  events.publish({ type: 'upload', uploadId: 'a', session, isOver: false });
  events.publish({ type: 'upload', uploadId: 'a', session: null, isOver: true });
  expect((await subscription.next()).value).toEqual({
    type: 'upload',
    uploadId: 'a',
    session,
    isOver: true,
  });
});
