import { describe, expect, it } from 'vitest';
import type { Context } from '../../../src/domain/context.ts';
import { ForbiddenError, NotAuthenticatedError } from '../../../src/domain/error.ts';
import { deleteJob } from '../../../src/domain/job/job.ts';
import { countTags, createTag, listTags, tagsByIds } from '../../../src/domain/tag/tag.ts';
import { createFolder, findFolder, foldersByIds } from '../../../src/domain/tree/folder.ts';
import { findMedia, mediasByIds } from '../../../src/domain/tree/media.ts';
import { countMedias, listMedias } from '../../../src/domain/tree/media-list.ts';
import { uploadToResource } from '../../../src/domain/upload/resource-upload.ts';
import { abortUpload, appendChunk, completeUpload } from '../../../src/domain/upload/upload.ts';
import { uploadFile } from '../../../src/domain/upload/upload-file.ts';
import { authorize, isOwner, type Operation, scopeOf } from '../../../src/domain/viewer/access.ts';
import { ANONYMOUS, type Viewer } from '../../../src/domain/viewer/viewer.ts';
import { user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { makeFolder, makeMediaRow } from '../../support/make.ts';

type Auth = Context['settings']['auth'];
type Answer = 'yes' | 'log in' | 'no';

const VIEWERS = {
  anonymous: ANONYMOUS,
  'reader by token': user('a', 'reader'),
  'reader by key': { kind: 'key', id: 'key:a', role: 'reader' },
  'editor by token': user('a', 'editor'),
  'editor by key': { kind: 'key', id: 'key:b', role: 'editor' },
  'admin by token': user('a', 'admin'),
  'admin by key': { kind: 'key', id: 'key:admin', role: 'admin' },
} satisfies Record<string, Viewer>;

type Who = 'anonymous' | 'reader' | 'editor' | 'admin';
type Row = Record<Who, Answer>;

/** Every operation, in both modes. A new one does not compile without its rows here. */
const TABLE: Record<Operation, Record<Auth, Row>> = {
  'media.read': {
    open: { anonymous: 'yes', reader: 'yes', editor: 'yes', admin: 'yes' },
    required: { anonymous: 'log in', reader: 'yes', editor: 'yes', admin: 'yes' },
  },
  'media.create': {
    open: { anonymous: 'yes', reader: 'yes', editor: 'yes', admin: 'yes' },
    required: { anonymous: 'log in', reader: 'no', editor: 'yes', admin: 'yes' },
  },
  'media.update': {
    open: { anonymous: 'log in', reader: 'no', editor: 'yes', admin: 'yes' },
    required: { anonymous: 'log in', reader: 'no', editor: 'yes', admin: 'yes' },
  },
  'media.delete': {
    open: { anonymous: 'log in', reader: 'no', editor: 'yes', admin: 'yes' },
    required: { anonymous: 'log in', reader: 'no', editor: 'yes', admin: 'yes' },
  },
  'archive.create': {
    open: { anonymous: 'yes', reader: 'yes', editor: 'yes', admin: 'yes' },
    required: { anonymous: 'log in', reader: 'yes', editor: 'yes', admin: 'yes' },
  },
  'folder.update': {
    open: { anonymous: 'log in', reader: 'no', editor: 'yes', admin: 'yes' },
    required: { anonymous: 'log in', reader: 'no', editor: 'yes', admin: 'yes' },
  },
  'folder.delete': {
    open: { anonymous: 'log in', reader: 'no', editor: 'yes', admin: 'yes' },
    required: { anonymous: 'log in', reader: 'no', editor: 'yes', admin: 'yes' },
  },
  'trash.read': {
    open: { anonymous: 'log in', reader: 'yes', editor: 'yes', admin: 'yes' },
    required: { anonymous: 'log in', reader: 'yes', editor: 'yes', admin: 'yes' },
  },
  'trash.restore': {
    open: { anonymous: 'log in', reader: 'no', editor: 'yes', admin: 'yes' },
    required: { anonymous: 'log in', reader: 'no', editor: 'yes', admin: 'yes' },
  },
  'trash.purge': {
    open: { anonymous: 'log in', reader: 'no', editor: 'yes', admin: 'yes' },
    required: { anonymous: 'log in', reader: 'no', editor: 'yes', admin: 'yes' },
  },
  'folder.create': {
    open: { anonymous: 'log in', reader: 'no', editor: 'yes', admin: 'yes' },
    required: { anonymous: 'log in', reader: 'no', editor: 'yes', admin: 'yes' },
  },
  'tag.read': {
    open: { anonymous: 'yes', reader: 'yes', editor: 'yes', admin: 'yes' },
    required: { anonymous: 'yes', reader: 'yes', editor: 'yes', admin: 'yes' },
  },
  'tag.create': {
    open: { anonymous: 'yes', reader: 'yes', editor: 'yes', admin: 'yes' },
    required: { anonymous: 'log in', reader: 'no', editor: 'yes', admin: 'yes' },
  },
  'tag.update': {
    open: { anonymous: 'yes', reader: 'yes', editor: 'yes', admin: 'yes' },
    required: { anonymous: 'log in', reader: 'no', editor: 'no', admin: 'yes' },
  },
  'tag.delete': {
    open: { anonymous: 'yes', reader: 'yes', editor: 'yes', admin: 'yes' },
    required: { anonymous: 'log in', reader: 'no', editor: 'no', admin: 'yes' },
  },
  'key.read': {
    open: { anonymous: 'log in', reader: 'no', editor: 'no', admin: 'yes' },
    required: { anonymous: 'log in', reader: 'no', editor: 'no', admin: 'yes' },
  },
  'key.create': {
    open: { anonymous: 'log in', reader: 'no', editor: 'no', admin: 'yes' },
    required: { anonymous: 'log in', reader: 'no', editor: 'no', admin: 'yes' },
  },
  'key.delete': {
    open: { anonymous: 'log in', reader: 'no', editor: 'no', admin: 'yes' },
    required: { anonymous: 'log in', reader: 'no', editor: 'no', admin: 'yes' },
  },
  'user.read': {
    open: { anonymous: 'log in', reader: 'no', editor: 'no', admin: 'yes' },
    required: { anonymous: 'log in', reader: 'no', editor: 'no', admin: 'yes' },
  },
  'user.create': {
    open: { anonymous: 'log in', reader: 'no', editor: 'no', admin: 'yes' },
    required: { anonymous: 'log in', reader: 'no', editor: 'no', admin: 'yes' },
  },
  'user.update': {
    open: { anonymous: 'log in', reader: 'no', editor: 'no', admin: 'yes' },
    required: { anonymous: 'log in', reader: 'no', editor: 'no', admin: 'yes' },
  },
  'audit.read': {
    open: { anonymous: 'log in', reader: 'no', editor: 'no', admin: 'yes' },
    required: { anonymous: 'log in', reader: 'no', editor: 'no', admin: 'yes' },
  },
  'metrics.read': {
    open: { anonymous: 'log in', reader: 'no', editor: 'no', admin: 'yes' },
    required: { anonymous: 'log in', reader: 'no', editor: 'no', admin: 'yes' },
  },
  'user.delete': {
    open: { anonymous: 'log in', reader: 'no', editor: 'no', admin: 'yes' },
    required: { anonymous: 'log in', reader: 'no', editor: 'no', admin: 'yes' },
  },
  'job.read': {
    open: { anonymous: 'log in', reader: 'yes', editor: 'yes', admin: 'yes' },
    required: { anonymous: 'log in', reader: 'yes', editor: 'yes', admin: 'yes' },
  },
  'job.create': {
    open: { anonymous: 'log in', reader: 'no', editor: 'yes', admin: 'yes' },
    required: { anonymous: 'log in', reader: 'no', editor: 'yes', admin: 'yes' },
  },
  'job.signal': {
    open: { anonymous: 'log in', reader: 'no', editor: 'yes', admin: 'yes' },
    required: { anonymous: 'log in', reader: 'no', editor: 'yes', admin: 'yes' },
  },
  'job.delete': {
    open: { anonymous: 'log in', reader: 'no', editor: 'no', admin: 'yes' },
    required: { anonymous: 'log in', reader: 'no', editor: 'no', admin: 'yes' },
  },
  'resource.read': {
    open: { anonymous: 'log in', reader: 'yes', editor: 'yes', admin: 'yes' },
    required: { anonymous: 'log in', reader: 'yes', editor: 'yes', admin: 'yes' },
  },
  'resource.create': {
    open: { anonymous: 'log in', reader: 'no', editor: 'yes', admin: 'yes' },
    required: { anonymous: 'log in', reader: 'no', editor: 'yes', admin: 'yes' },
  },
  'upload.write': {
    open: { anonymous: 'yes', reader: 'yes', editor: 'yes', admin: 'yes' },
    required: { anonymous: 'log in', reader: 'no', editor: 'yes', admin: 'yes' },
  },
};

const CASES = Object.entries(TABLE).flatMap(([operation, modes]) =>
  Object.entries(modes).flatMap(([auth, row]) =>
    Object.entries(VIEWERS).map(([name, viewer]) => ({
      operation: operation as Operation,
      auth: auth as Auth,
      name,
      viewer,
      answer: row[name.split(' ')[0] as Who],
    })),
  ),
);

describe('authorize', () => {
  it.each(CASES)('$operation, authentication $auth, $name: $answer', ({ operation, ...rest }) => {
    expect(ask(contextOf(rest), operation)).toBe(rest.answer);
  });
});

describe('scopeOf', () => {
  it('a viewer without a credential sees everything while authentication is open, otherwise public nodes', () => {
    expect(scopeOf(contextOf({ auth: 'open', viewer: ANONYMOUS })).publicOnly).toBe(false);
    expect(scopeOf(contextOf({ auth: 'required', viewer: ANONYMOUS })).publicOnly).toBe(true);
  });

  it('a viewer with a credential sees everything', () => {
    const viewer = user('a', 'reader');
    expect(scopeOf(contextOf({ auth: 'required', viewer })).publicOnly).toBe(false);
  });
});

describe('isOwner', () => {
  it.each([
    ['alice', user('alice'), true],
    ['alice', user('bob'), false],
    ['alice', user('bob', 'admin'), false],
    ['alice', ANONYMOUS, false],
    [null, ANONYMOUS, true],
    [null, user('alice'), false],
  ])('of what %s made, %o: %s', (owner, viewer, answer) => {
    expect(isOwner(contextOf({ auth: 'open', viewer }), owner)).toBe(answer);
  });
});

const UPLOAD_ID = '0'.repeat(32);
const PLACE = { offsetBytes: 0, totalBytes: 1 };
const FILE = { filename: 'a.txt', bytes: noBytes() };

/** Every function that asks for a credential. */
const GUARDED: Record<string, (ctx: Context) => Promise<unknown>> = {
  createFolder: (ctx) => createFolder(ctx, { name: 'a' }),
  createTag: (ctx) => createTag(ctx, { name: 'a' }),
  appendChunk: (ctx) => appendChunk(ctx, { ...PLACE, chunk: { bytes: noBytes() } }),
  completeUpload: (ctx) => completeUpload(ctx, { uploadId: UPLOAD_ID, md5: UPLOAD_ID }),
  abortUpload: (ctx) => abortUpload(ctx, { uploadId: UPLOAD_ID }),
  uploadFile: (ctx) => uploadFile(ctx, FILE),
  deleteJob: (ctx) => deleteJob(ctx, 1),
  uploadToResource: (ctx) =>
    uploadToResource(ctx, { resource: 'a', key: null }, async () => ({
      key: null,
      projectId: null,
    })),
};

describeEachBackend('access', (backend) => {
  it.each(Object.entries(GUARDED))('%s asks before it does or says anything', (_, operation) =>
    withServices(
      backend,
      async (services) => {
        services.statements.length = 0;
        await expect(operation(services.as())).rejects.toThrow(NotAuthenticatedError);
        await expect(operation(services.as(user('a', 'reader')))).rejects.toThrow(ForbiddenError);
        expect(services.statements).toEqual([]);
      },
      { auth: 'required' },
    ),
  );

  it('a private node does not exist for a viewer who may see only public ones', () =>
    withServices(
      backend,
      async ({ db, as }) => {
        const mediaIds = [await makeMediaRow(db), await makeMediaRow(db, { is_public: 1 })];
        const folderIds = [await makeFolder(db), await makeFolder(db, { is_public: 1 })];
        const ctx = as();
        const found = [
          (await findMedia(ctx, { id: mediaIds[0]! }))?.id,
          (await findMedia(ctx, { id: mediaIds[1]! }))?.id,
          (await findFolder(ctx, { id: folderIds[0]! }))?.id,
          (await findFolder(ctx, { id: folderIds[1]! }))?.id,
        ];
        expect(found).toEqual([undefined, mediaIds[1], undefined, folderIds[1]]);
        const lists = [
          await mediasByIds(ctx, mediaIds),
          await foldersByIds(ctx, folderIds),
          (await listMedias(ctx, {})).edges.map(({ node }) => node),
        ];
        const shown = lists.map((nodes) => nodes.map((node) => node.id));
        expect(shown).toEqual([[mediaIds[1]], [folderIds[1]], [mediaIds[1]]]);
        expect(await countMedias(ctx)).toBe(1);
      },
      { auth: 'required' },
    ));

  it('everybody sees tags', () =>
    withServices(
      backend,
      async ({ as }) => {
        const tag = await createTag(as(user('a', 'admin')), { name: 'a' });
        expect(await tagsByIds(as(), [tag.id])).toEqual([tag]);
        expect((await listTags(as(), {}, {})).edges).toHaveLength(1);
        expect(await countTags(as(), {})).toBe(1);
      },
      { auth: 'required' },
    ));
});

function contextOf({ viewer, auth }: { viewer: Viewer; auth: Auth }): Context {
  const pending = { current: { subtrees: [], tagIds: new Set(), moved: [] } };
  return { viewer, settings: { auth }, pending } as unknown as Context;
}

function ask(ctx: Context, operation: Operation): Answer {
  try {
    authorize(ctx, operation);
    return 'yes';
  } catch (error) {
    if (error instanceof NotAuthenticatedError) return 'log in';
    if (error instanceof ForbiddenError) return 'no';
    throw error;
  }
}

async function* noBytes(): AsyncGenerator<Uint8Array> {}
