import { expect, test } from 'vitest';
import { mediaEvent, mediaUpdate, merge } from '../../src/domain/event/event.ts';
import { type TestApp, withApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { makeKey, makeMediaRow } from '../support/make.ts';
import { type EventStream, openStream, withStream } from '../support/sse.ts';
import { globalId } from './subscribe.ts';
import { call } from './viewer/credential.ts';

const FOLDERS = 'subscription { folderChanged { kind id folder { name parent { name } } } }';
const TAGS = 'subscription { tagChanged { kind id tag { name } } }';
const MEDIAS = 'subscription { mediaChanged { kind changed media { name } } }';

async function nextOf({ next }: Pick<EventStream, 'next'>, field: string) {
  return (await next())?.data[field];
}

async function makeFolder(app: TestApp, name: string, parentId?: string): Promise<string> {
  return (await call(app, 'createFolder', { name, parentId }, 'folder { id }')).folder.id;
}

describeEachBackend('folderChanged', (backend) => {
  test('reports each way in which a folder changes', () =>
    withApp(backend, async (app) => {
      await withStream(
        app,
        FOLDERS,
        async (stream) => {
          const next = () => nextOf(stream, 'folderChanged');
          const top = await makeFolder(app, 'top');
          const shown = (name: string, parent: string | null = null) => ({
            ...{ name, parent: parent === null ? null : { name: parent } },
          });
          expect(await next()).toEqual({ kind: 'CREATED', id: top, folder: shown('top') });
          const id = await makeFolder(app, 'a');
          expect(await next()).toEqual({ kind: 'CREATED', id, folder: shown('a') });
          await call(app, 'updateFolder', { id, name: 'b' }, 'folder { id }');
          expect(await next()).toEqual({ kind: 'UPDATED', id, folder: shown('b') });
          await call(app, 'updateFolder', { id, sortOrder: 7 }, 'folder { id }');
          expect(await next()).toMatchObject({ kind: 'UPDATED', id });
          await call(app, 'updateFolder', { id, visibility: 'PRIVATE' }, 'folder { id }');
          expect(await next()).toMatchObject({ kind: 'UPDATED', id });
          await call(app, 'moveNodes', { ids: [id], parentId: top }, 'nodes { id }');
          expect(await next()).toEqual({ kind: 'UPDATED', id, folder: shown('b', 'top') });
          await call(app, 'deleteFolder', { id: top, recursive: true }, 'deletedId');
          const gone = [await next(), await next()];
          expect(gone).toContainEqual({ kind: 'DELETED', id, folder: null });
          expect(gone).toContainEqual({ kind: 'DELETED', id: top, folder: null });
          await call(app, 'restoreNodes', { ids: [top] }, 'nodes { id }');
          expect(await next()).toEqual({ kind: 'CREATED', id: top, folder: shown('top') });
          expect(await next()).toEqual({ kind: 'CREATED', id, folder: shown('b', 'top') });
          // Another dialect.
          const headers = { 'content-type': 'application/json' };
          const body = JSON.stringify({ mediaTypeAlias: 'Folder', name: 'heart' });
          const response = await app.fetch('/media', {
            method: 'POST',
            asAdmin: true,
            headers,
            body,
          });
          expect(response.status).toBe(201);
          expect(await next()).toMatchObject({ kind: 'CREATED', folder: { name: 'heart' } });
        },
        { authorization: `Bearer ${app.adminKey}` },
      );
    }));

  test('is limited to start nodes; what leaves them is reported as deleted', () =>
    withApp(backend, async (app) => {
      const own = await makeFolder(app, 'own');
      const other = await makeFolder(app, 'other');
      const startNodeIds = [Number(Buffer.from(own, 'base64url').toString().split(':')[1])];
      const key = await makeKey(app.services, { name: 'k', role: 'reader', startNodeIds });
      await withStream(
        app,
        FOLDERS,
        async (stream) => {
          await makeFolder(app, 'hidden', other);
          const id = await makeFolder(app, 'inside', own);
          expect(await nextOf(stream, 'folderChanged')).toMatchObject({ kind: 'CREATED', id });
          await call(app, 'moveNodes', { ids: [id], parentId: other }, 'nodes { id }');
          expect(await nextOf(stream, 'folderChanged')).toEqual({
            kind: 'DELETED',
            id,
            folder: null,
          });
        },
        { authorization: `Bearer ${key}` },
      );
    }));

  test('shows nothing to an anonymous viewer who sees no folder', () =>
    withApp(
      backend,
      async (app) => {
        const folders = await openStream(app, FOLDERS, {});
        const tags = await openStream(app, TAGS, {});
        await makeFolder(app, 'secret');
        await call(app, 'createTag', { name: 'known' }, 'tag { id }');
        expect(await nextOf(tags, 'tagChanged')).toMatchObject({ tag: { name: 'known' } });
        const first = folders.next();
        const none = new Promise((resolve) => setImmediate(() => resolve('nothing')));
        expect(await Promise.race([first, none])).toBe('nothing');
        folders.close();
        tags.close();
      },
      { TRIVIUM_AUTH: 'required' },
    ));
});

describeEachBackend('tagChanged', (backend) => {
  test('reports each tag that is created, changed and deleted', () =>
    withApp(backend, async (app) => {
      await withStream(app, TAGS, async (stream) => {
        const next = () => nextOf(stream, 'tagChanged');
        const { id } = (await call(app, 'createTag', { name: 'a' }, 'tag { id }')).tag;
        expect(await next()).toEqual({ kind: 'CREATED', id, tag: { name: 'a' } });
        await call(app, 'updateTag', { id, name: 'b' }, 'tag { id }');
        expect(await next()).toEqual({ kind: 'UPDATED', id, tag: { name: 'b' } });
        await call(app, 'deleteTag', { id }, 'deletedId');
        expect(await next()).toEqual({ kind: 'DELETED', id, tag: null });
      });
    }));
});

describeEachBackend('MediaChange.changed', (backend) => {
  test('tells what has changed, so that a thumbnail is known as one', () =>
    withApp(backend, async (app) => {
      await withStream(
        app,
        MEDIAS,
        async (stream) => {
          const next = () => nextOf(stream, 'mediaChanged');
          const { db, events } = app.services;
          const row = await db
            .selectFrom('media')
            .where('id', '=', await makeMediaRow(db, { name: 'a' }))
            .selectAll()
            .executeTakeFirstOrThrow();
          events.publish(mediaUpdate(row, 'thumbnail'));
          expect(await next()).toMatchObject({ kind: 'UPDATED', changed: ['THUMBNAIL'] });
          const id = globalId('Media', row.id);
          await call(app, 'updateMedia', { id, name: 'b' }, 'media { id }');
          expect(await next()).toMatchObject({ kind: 'UPDATED', changed: ['FIELDS'] });
          await call(app, 'updateMedia', { id, sortOrder: 9 }, 'media { id }');
          expect(await next()).toMatchObject({ kind: 'MOVED', changed: ['PLACE'] });
          const { tag } = await call(app, 'createTag', { name: 't' }, 'tag { id }');
          await call(app, 'tagMedia', { mediaIds: [id], addTagIds: [tag.id] }, 'medias { id }');
          expect(await next()).toMatchObject({ kind: 'UPDATED', changed: ['TAGS'] });
          await call(app, 'deleteMedia', { id }, 'deletedId');
          expect(await next()).toEqual({ kind: 'DELETED', changed: [], media: null });
        },
        { authorization: `Bearer ${app.adminKey}` },
      );
    }));
});

test('merged events name all that has changed, and the folders of both', () => {
  const row = { id: 1, parent_id: 5, path: '/1/5/', owner: null, is_public: 0 };
  const moved = mediaEvent('moved', row, 6);
  const after = { ...row, parent_id: 6, path: '/1/6/' };
  expect(merge(moved, mediaUpdate(after, 'thumbnail'))).toMatchObject({
    kind: 'moved',
    changed: ['place', 'thumbnail'],
    folderIds: [5, 6],
    before: row,
  });
  expect(merge(mediaEvent('created', row), mediaUpdate(row, 'thumbnail'))).toMatchObject({
    kind: 'created',
    changed: [],
  });
});
