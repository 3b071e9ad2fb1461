import { expect, test } from 'vitest';
import type { Operation } from '../../../src/domain/viewer/access.ts';
import { schema } from '../../../src/graphql/schema.ts';
import type { TestApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { PNG, PNG_MD5 } from '../../support/bytes.ts';
import { graphql } from '../../support/graphql.ts';
import { shareApp } from '../../support/shared-app.ts';
import { as, call, folder, makeUser } from './credential.ts';

const PASSWORD = 'correct horse battery';
const ENTRY = 'at action actor { kind id name role } target { kind id name } details';
const LOG = `query ($first: Int, $after: String, $filter: AuditFilter) {
  auditLog(first: $first, after: $after, filter: $filter) {
    totalCount pageInfo { hasNextPage endCursor } nodes { ${ENTRY} } } }`;

async function log(app: TestApp, variables: object = {}, credential = app.adminKey) {
  const { data, errors } = await graphql(app, LOG, { ...variables }, as(app, credential));
  expect(errors).toBeUndefined();
  return data.auditLog;
}

const file = (name = 'a.png') => new File([Buffer.from(PNG)], name, { type: 'image/png' });

/** Sends a mutation with a file, and returns the id of the media item. */
async function send(
  app: TestApp,
  name: 'uploadFile' | 'replaceFile',
  input: object,
  sent = file(),
) {
  const type = name.charAt(0).toUpperCase() + name.slice(1);
  const query = `mutation ($input: ${type}Input!) { result: ${name}(input: $input) {
    ... on Error { code message } ... on ${type}Success { media { id } } } }`;
  const options = { ...as(app), files: { 'input.file': sent } };
  const { data } = await graphql(app, query, { input: { ...input, file: null } }, options);
  return data.result.media.id as string;
}

async function chunk(app: TestApp): Promise<string> {
  const query = `mutation ($input: UploadChunkInput!) { result: uploadChunk(input: $input) {
    ... on Error { code message } ... on UploadChunkSuccess { session { uploadId } } } }`;
  const input = { offset: 0, totalBytes: PNG.length, filename: 'c.png', chunk: null };
  const options = { ...as(app), files: { 'input.chunk': file() } };
  return (await graphql(app, query, { input }, options)).data.result.session.uploadId;
}

let count = 0;
const tag = async (app: TestApp) =>
  (await call(app, 'createTag', { name: 'a' }, 'tag { id }')).tag.id as string;
const job = async (app: TestApp) => {
  const input = { url: `https://example.org/a.png?token=of-${++count}` };
  return (await call(app, 'importUrl', input, 'job { id }')).job.id as string;
};
async function signedIn(app: TestApp): Promise<{ name: string; token: string }> {
  const { name } = await makeUser(app, PASSWORD);
  const { token } = await call(app, 'signIn', { name, password: PASSWORD }, 'token', {});
  return { name, token };
}

/** Prepares a mutation. Returns what runs it. */
type Prepare = (app: TestApp) => Promise<() => Promise<unknown>>;

/** The entries of a mutation, in order, without what each of them has. */
type Scene = { prepare: Prepare; entries: object[] } | { exempt: string };

/** Every mutation. A new one fails the first test without its entries here, or a reason why it has none. */
const SCENES: Readonly<Record<string, Scene>> = {
  uploadChunk: { exempt: 'It changes no item: `completeUpload` creates the media item.' },
  abortUpload: { exempt: 'Its bytes belong to no item.' },
  uploadFile: one({ action: 'CREATE', target: { kind: 'MEDIA', name: 'a.png' } }, async (app) => {
    return () => send(app, 'uploadFile', {});
  }),
  completeUpload: one({ action: 'CREATE', details: { filename: 'c.png' } }, async (app) => {
    const uploadId = await chunk(app);
    return () => call(app, 'completeUpload', { uploadId, md5: PNG_MD5 }, 'media { id }');
  }),
  replaceFile: one({ action: 'REPLACE', details: { from: 'a.png', to: 'b.png' } }, async (app) => {
    const id = await send(app, 'uploadFile', {});
    return () => send(app, 'replaceFile', { id }, file('b.png'));
  }),
  restoreVersion: one(
    { action: 'RESTORE_VERSION', details: { from: 'b.png', to: 'a.png' } },
    async (app) => {
      const mediaId = await send(app, 'uploadFile', {});
      await send(app, 'replaceFile', { id: mediaId }, file('b.png'));
      const { data } = await graphql(app, VERSIONS, { id: mediaId }, as(app));
      const [{ id: versionId }] = data.media.versions.nodes;
      return () => call(app, 'restoreVersion', { mediaId, versionId }, 'media { id }');
    },
  ),
  createMedia: one({ action: 'CREATE', target: { kind: 'MEDIA', name: 'L' } }, async (app) => {
    const input = { type: 'URL', url: 'https://example.org/?token=1', name: 'L' };
    return () => call(app, 'createMedia', input, 'media { id }');
  }),
  updateMedia: {
    prepare: async (app) => {
      const id = await send(app, 'uploadFile', {});
      const input = { id, description: 'd', visibility: 'PRIVATE' };
      return () => call(app, 'updateMedia', input, 'media { id }');
    },
    entries: [
      { action: 'UPDATE', details: { changed: ['description'] } },
      { action: 'CHANGE_VISIBILITY', details: { from: 'unlisted', to: 'private' } },
    ],
  },
  updateMedias: {
    prepare: async (app) => {
      const [ids, tagIds] = [[await send(app, 'uploadFile', {})], [await tag(app)]];
      const input = { ids, tagIds, title: 't', visibility: 'PRIVATE' };
      return () => call(app, 'updateMedias', input, 'medias { id }');
    },
    entries: [
      { action: 'UPDATE', details: { changed: ['title'] } },
      { action: 'CHANGE_VISIBILITY', details: { from: 'unlisted', to: 'private' } },
      { action: 'TAG', details: { removed: [] } },
    ],
  },
  deleteNodes: {
    prepare: async (app) => {
      const ids = [await send(app, 'uploadFile', {}), await folder(app, 'F')];
      return () => call(app, 'deleteNodes', { ids, permanently: true }, 'deletedIds');
    },
    entries: ['MEDIA', 'FOLDER'].map((kind) => {
      return { action: 'DELETE', target: { kind }, details: { permanently: true } };
    }),
  },
  createArchiveUrl: one(
    { action: 'ARCHIVE', target: { kind: 'FOLDER', name: 'F' }, details: { files: 1 } },
    async (app) => {
      const folderId = await folder(app, 'F');
      await send(app, 'uploadFile', { folderId });
      return () => call(app, 'createArchiveUrl', { folderId }, 'url');
    },
  ),
  restoreNodes: one(
    { action: 'RESTORE', target: { kind: 'MEDIA', name: 'a.png' } },
    async (app) => {
      const id = await send(app, 'uploadFile', {});
      await call(app, 'deleteMedia', { id }, 'deletedId');
      return () => call(app, 'restoreNodes', { ids: [id] }, 'nodes { id }');
    },
  ),
  emptyTrash: one(
    { action: 'START', target: { kind: 'JOB', name: 'purge-trash' } },
    async (app) => {
      return () => call(app, 'emptyTrash', {}, 'job { id }');
    },
  ),
  deleteMedia: one({ action: 'DELETE', target: { name: 'a.png' } }, async (app) => {
    const id = await send(app, 'uploadFile', {});
    return () => call(app, 'deleteMedia', { id }, 'deletedId');
  }),
  tagMedia: one({ action: 'TAG', target: { kind: 'MEDIA' } }, async (app) => {
    const input = { mediaIds: [await send(app, 'uploadFile', {})], addTagIds: [await tag(app)] };
    return () => call(app, 'tagMedia', input, 'medias { id }');
  }),
  createFolder: one({ action: 'CREATE', target: { kind: 'FOLDER', name: 'F' } }, async (app) => {
    return () => folder(app, 'F');
  }),
  updateFolder: {
    prepare: async (app) => {
      const input = { id: await folder(app, 'F'), name: 'G', visibility: 'PUBLIC' };
      return () => call(app, 'updateFolder', input, 'folder { id }');
    },
    entries: [
      { action: 'UPDATE', details: { changed: ['name'], name: { from: 'F', to: 'G' } } },
      { action: 'CHANGE_VISIBILITY', details: { from: null, to: 'public' } },
    ],
  },
  moveNodes: one({ action: 'MOVE', target: { kind: 'FOLDER', name: 'F' } }, async (app) => {
    const input = { ids: [await folder(app, 'F')], parentId: await folder(app, 'G') };
    return () => call(app, 'moveNodes', input, 'nodes { id }');
  }),
  placeNodes: one({ action: 'MOVE', target: { kind: 'FOLDER', name: 'F' } }, async (app) => {
    const [beforeId, id] = [await folder(app, 'G'), await folder(app, 'F')];
    return () => call(app, 'placeNodes', { ids: [id], beforeId }, 'nodes { id }');
  }),
  copyMedia: one({ action: 'CREATE', details: { type: 'image' } }, async (app) => {
    const id = await send(app, 'uploadFile', {});
    return () => call(app, 'copyMedia', { id }, 'media { id }');
  }),
  deleteWhere: where('delete-where', {}),
  updateWhere: where('update-where', { title: 't' }),
  tagWhere: where('tag-where', {}),
  deleteFolder: one({ action: 'DELETE', target: { kind: 'FOLDER' } }, async (app) => {
    const id = await folder(app, 'F');
    return () => call(app, 'deleteFolder', { id }, 'deletedId');
  }),
  createTag: one({ action: 'CREATE', target: { kind: 'TAG', name: 'a' } }, async (app) => {
    return () => tag(app);
  }),
  updateTag: one({ action: 'UPDATE', details: { name: { from: 'a', to: 'b' } } }, async (app) => {
    const id = await tag(app);
    return () => call(app, 'updateTag', { id, name: 'b' }, 'tag { id }');
  }),
  deleteTag: one({ action: 'DELETE', target: { kind: 'TAG', name: 'a' } }, async (app) => {
    const id = await tag(app);
    return () => call(app, 'deleteTag', { id }, 'deletedId');
  }),
  importUrl: one({ action: 'START', target: { kind: 'JOB', name: 'import-url' } }, async (app) => {
    return () => job(app);
  }),
  signalJob: one({ action: 'SIGNAL', details: { signal: 'pause' } }, async (app) => {
    const id = await job(app);
    return () => call(app, 'signalJob', { id, signal: 'PAUSE' }, 'job { id }');
  }),
  deleteJob: one({ action: 'DELETE', target: { kind: 'JOB' } }, async (app) => {
    const id = await job(app);
    return () => call(app, 'deleteJob', { id }, 'deletedId');
  }),
  createApiKey: one({ action: 'CREATE', target: { kind: 'API_KEY', name: 'k' } }, async (app) => {
    return () => call(app, 'createApiKey', { name: 'k' }, 'key');
  }),
  revokeApiKey: one({ action: 'REVOKE', target: { kind: 'API_KEY', name: 'k' } }, async (app) => {
    const { id } = (await call(app, 'createApiKey', { name: 'k' }, 'apiKey { id }')).apiKey;
    return () => call(app, 'revokeApiKey', { id }, 'apiKey { id }');
  }),
  createUser: one({ action: 'CREATE', target: { kind: 'USER', name: 'u' } }, async (app) => {
    return () => call(app, 'createUser', { name: 'u', password: PASSWORD }, 'user { id }');
  }),
  updateUser: {
    prepare: async (app) => {
      const { id } = await makeUser(app, PASSWORD);
      const input = { id, role: 'ADMIN', password: `${PASSWORD} 2` };
      return () => call(app, 'updateUser', input, 'user { id }');
    },
    entries: [
      { action: 'UPDATE', details: { changed: ['role'], role: { from: 'editor', to: 'admin' } } },
      { action: 'CHANGE_PASSWORD', target: { kind: 'USER' } },
    ],
  },
  deleteUser: one({ action: 'DELETE', target: { kind: 'USER' } }, async (app) => {
    const { id } = await makeUser(app, PASSWORD);
    return () => call(app, 'deleteUser', { id }, 'deletedId');
  }),
  signIn: one({ action: 'SIGN_IN', actor: { kind: 'USER', role: 'EDITOR' } }, async (app) => {
    const { name } = await makeUser(app, PASSWORD);
    return () => call(app, 'signIn', { name, password: PASSWORD }, 'token', {});
  }),
  signOut: one({ action: 'SIGN_OUT', actor: { kind: 'USER' } }, async (app) => {
    const { token } = await signedIn(app);
    const query = 'mutation { signOut { ... on SignOutSuccess { isSignedOut } } }';
    return () => graphql(app, query, {}, as(app, token));
  }),
  changePassword: {
    prepare: async (app) => {
      const { token } = await signedIn(app);
      const input = { currentPassword: PASSWORD, newPassword: `${PASSWORD} 2` };
      return () => call(app, 'changePassword', input, 'token', as(app, token));
    },
    entries: [{ action: 'CHANGE_PASSWORD', actor: { kind: 'USER' } }, { action: 'SIGN_IN' }],
  },
};

const VERSIONS = 'query ($id: ID!) { media(by: { id: $id }) { versions { nodes { id } } } }';

function one(entry: object, prepare: Prepare): Scene {
  return { prepare, entries: [entry] };
}

/** A mutation of what a filter selects; the job makes the other entries. */
function where(jobClass: string, change: object): Scene {
  const [verb] = jobClass.split('-');
  const entry = { action: 'START', target: { kind: 'JOB', name: jobClass }, details: { count: 1 } };
  return one(entry, async (app) => {
    const filter = { ids: [await send(app, 'uploadFile', {})] };
    const tags = verb === 'tag' ? { addTagIds: [await tag(app)] } : {};
    return () => call(app, `${verb}Where`, { filter, ...change, ...tags }, 'job { id }');
  });
}

type Write = Exclude<Operation, `${string}.read`>;

/** The mutations of every operation that changes something. A new operation does not compile without one here. */
const MUTATIONS: Readonly<Record<Write, readonly string[]>> = {
  'media.create': ['createMedia', 'uploadFile', 'copyMedia'],
  'media.update': [
    'updateMedia',
    'updateMedias',
    'replaceFile',
    'restoreVersion',
    'tagMedia',
    'moveNodes',
    'placeNodes',
    'updateWhere',
    'tagWhere',
  ],
  'media.delete': ['deleteMedia', 'deleteNodes', 'deleteWhere'],
  'archive.create': ['createArchiveUrl'],
  'trash.restore': ['restoreNodes'],
  'trash.purge': ['emptyTrash', 'deleteNodes'],
  'folder.update': ['updateFolder', 'moveNodes', 'placeNodes'],
  'folder.delete': ['deleteFolder'],
  'folder.create': ['createFolder'],
  'tag.create': ['createTag'],
  'tag.update': ['updateTag'],
  'tag.delete': ['deleteTag'],
  'job.create': ['importUrl'],
  'job.signal': ['signalJob'],
  'job.delete': ['deleteJob'],
  // The Importer's own, tested below.
  'resource.create': [],
  'upload.write': ['uploadChunk', 'completeUpload', 'abortUpload', 'uploadFile'],
  'key.create': ['createApiKey'],
  'key.delete': ['revokeApiKey'],
  'user.create': ['createUser'],
  'user.update': ['updateUser'],
  'user.delete': ['deleteUser'],
};

test('every mutation has its entries in the log, or a reason why it has none', () => {
  const mutations = Object.keys(schema.getMutationType()?.getFields() ?? {});
  expect(Object.keys(SCENES).sort()).toEqual(mutations.sort());
  expect(mutations).toEqual(expect.arrayContaining(Object.values(MUTATIONS).flat()));
});

describeEachBackend('the audit log', (backend) => {
  const shared = shareApp(backend, { TRIVIUM_AUTH: 'required' });

  test.each(
    Object.entries(SCENES).flatMap(([name, scene]) =>
      'exempt' in scene ? [] : [[name, scene] as const],
    ),
  )('records %s', async (_name, { prepare, entries }) => {
    const app = shared();
    const run = await prepare(app);
    const before = (await log(app, { first: 0 })).totalCount;
    await run();
    const { totalCount, nodes } = await log(app, { first: entries.length });
    expect(totalCount - before).toBe(entries.length);
    const common = { at: expect.any(String), actor: { kind: expect.any(String) } };
    expect(nodes.toReversed()).toMatchObject(entries.map((entry) => ({ ...common, ...entry })));
  });

  test('records the files of the Importer', async () => {
    const app = shared();
    for (const path of ['logo', 'logo/small.png']) {
      const body = new FormData();
      body.append('file', file('s.png'));
      const init = { method: 'POST', body, asAdmin: true };
      expect((await app.fetch(`/medias/files/${path}`, init)).status).toBeLessThan(300);
    }
    expect((await log(app, { first: 2 })).nodes).toMatchObject([
      { action: 'ADD_FILE', details: { keys: ['small.png'] } },
      { action: 'CREATE', target: { kind: 'MEDIA', name: 's.png' } },
    ]);
  });
});
