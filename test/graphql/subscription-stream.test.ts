import type { Socket } from 'node:net';
import { sql } from 'kysely';
import { expect, test, vi } from 'vitest';
import { withApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { makeMediaRow } from '../support/make.ts';
import { openStream, withStream } from '../support/sse.ts';
import { allFreed, change, createUrl, DONE, globalId, MEDIA_CHANGED, mutate } from './subscribe.ts';

describeEachBackend('a stream', (backend) => {
  test('is freed when its client hangs up', () =>
    withApp(backend, async (app) => {
      const sockets = new Set<Socket>();
      app.app.server.server.on('request', ({ headers, socket }) => {
        if (headers.accept === 'text/event-stream') sockets.add(socket);
      });
      const streams = await Promise.all(
        Array.from({ length: 5 }, () => openStream(app, MEDIA_CHANGED)),
      );
      await vi.waitFor(() => expect(app.services.events.subscriberCount()).toBe(5));
      await createUrl(app, 'A');
      for (const { next } of streams) expect(await next()).toEqual(change('CREATED', 'A'));
      expect([...sockets].map(({ destroyed }) => destroyed)).toEqual(Array(5).fill(false));
      for (const { close } of streams) close();
      await allFreed(app);
      expect([...sockets].map(({ destroyed }) => destroyed)).toEqual(Array(5).fill(true));
    }));

  test('ends without `complete` as soon as the server stops, and does not delay the stop', () =>
    withApp(backend, async (app) => {
      const waiting = await openStream(app, MEDIA_CHANGED);
      const used = await openStream(app, MEDIA_CHANGED);
      await createUrl(app, 'A');
      expect(await used.next()).toEqual(change('CREATED', 'A'));
      const cut = vi.spyOn(app.app.server.server, 'closeAllConnections');
      const stopped = app.app.stop();
      expect(await used.rest()).toEqual([]);
      expect(await waiting.rest()).toEqual([change('CREATED', 'A')]);
      await stopped;
      expect(cut).not.toHaveBeenCalled();
      expect(app.services.events.subscriberCount()).toBe(0);
    }));

  test('masks an unexpected error in a resolver, and continues', () =>
    withApp(backend, async (app) => {
      const media = globalId('Media', await makeMediaRow(app.services.db));
      const query = 'subscription { mediaChanged { kind media { title file { filename } } } }';
      await withStream(app, query, async ({ response, next }) => {
        await sql`alter table file rename to elsewhere`.execute(app.services.db);
        await mutate(app, `updateMedia(input: { id: "${media}", title: "A" })`);
        const failed = await next();
        expect(failed?.errors).toEqual([
          expect.objectContaining({
            message: 'Internal server error.',
            extensions: { code: 'INTERNAL', requestId: response.headers.get('x-request-id') },
          }),
        ]);
        await sql`alter table elsewhere rename to file`.execute(app.services.db);
        await mutate(app, `updateMedia(input: { id: "${media}", title: "B" })`);
        expect((await next())?.data.mediaChanged.media.title).toBe('B');
      });
    }));

  test('masks an unexpected error before the resolvers, and completes', () =>
    withApp(backend, async (app) => {
      const stream = await openStream(app, MEDIA_CHANGED);
      await sql`alter table media rename to elsewhere`.execute(app.services.db);
      const before = { id: 1, parent_id: null, path: '', owner: null, is_public: 0 };
      const event = { type: 'media', kind: 'updated', id: 1, before } as const;
      await vi.waitFor(() => expect(app.services.events.subscriberCount()).toBe(1));
      app.services.events.publish({ ...event, folderIds: [] });
      const [failed, ...rest] = await stream.rest();
      expect(failed?.errors?.[0]).toMatchObject({
        message: 'Internal server error.',
        extensions: { code: 'INTERNAL' },
      });
      expect(rest).toEqual([DONE]);
      await sql`alter table elsewhere rename to media`.execute(app.services.db);
      await allFreed(app);
    }));

  test('reports a refusal in one event, then completes', () =>
    withApp(backend, async (app) => {
      const stream = await openStream(app, 'subscription { mediaChanged(folderId: "x") { id } }');
      const [refusal, ...rest] = await stream.rest();
      expect(refusal?.errors?.[0]?.extensions?.code).toBe('INVALID_INPUT');
      expect(rest).toEqual([DONE]);
    }));
});
