import { randomUUID } from 'node:crypto';
import { tagMedia } from '../../../src/domain/bulk/tagging.ts';
import { createFolder } from '../../../src/domain/tree/folder.ts';
import { deleteMedia } from '../../../src/domain/tree/media-change.ts';
import { appendChunk } from '../../../src/domain/upload/upload.ts';
import { uploadFile } from '../../../src/domain/upload/upload-file.ts';
import { insertJob } from '../../../src/store/job/job.ts';
import { insertUser } from '../../../src/store/viewer/user.ts';
import { type TestApp, user } from '../../support/app.ts';
import { fixtureBytes, inPieces } from '../../support/bytes.ts';
import { graphql } from '../../support/graphql.ts';
import { toJobRow } from '../../support/job-row.ts';
import { makeKey, makeTag } from '../../support/make.ts';
import { bearer } from '../../support/private-media.ts';
import { type Mode, VISIBILITIES, type ViewerName, type Visibility } from './expectation.ts';

/** A media item that belongs to `owner`, with what belongs to it. */
export interface Item {
  id: number;
  uuid: string;
  globalId: string;
  /** Its title, and no other text. */
  word: string;
  file: { globalId: string; path: string; md5: string };
  /** The path of a rendition, as an admin gets it. */
  imagePath: string;
  /** A job of the item, which its owner has started. */
  job: { globalId: string; uuid: string };
  /** The query that signs the URL of its file. */
  signature: string;
}

/** A server with items of every visibility, and viewers. */
export interface World {
  app: TestApp;
  mode: Mode;
  folder: { id: number; uuid: string; globalId: string };
  /** The folder of `outside`. */
  other: { id: number; uuid: string; globalId: string };
  tag: { id: number; globalId: string };
  headers: Record<ViewerName, Record<string, string>>;
  items: Record<Visibility, Item>;
  /** An item that does not exist. */
  ghost: Item;
  /** Creates another item, for a change that cannot be repeated. */
  newItem: (visibility: Visibility) => Promise<Item>;
}

const PICTURE = fixtureBytes('picture.png');

const GHOST: Item = {
  ...{
    id: 99_999_999,
    uuid: randomUUID(),
    word: 'wghost',
    globalId: globalId('Media', 99_999_999),
  },
  file: {
    globalId: globalId('File', 99_999_999),
    path: '/media/aaaaaaaa/picture.png',
    md5: '0'.repeat(32),
  },
  imagePath: '/i/aaaaaaaa/0123456789/w8.AAAAAAAAAAAAAAAAAAAAAA/picture.png',
  job: { globalId: globalId('Job', 99_999_999), uuid: randomUUID() },
  signature: '',
};

/** Returns the global id of an object. */
export function globalId(type: string, id: number): string {
  return Buffer.from(`${type}:${id}`).toString('base64url');
}

/** Returns the context of a user of the matrix. */
export function asUser(
  { services, app }: TestApp,
  id = 'owner',
  role: 'editor' | 'admin' = 'editor',
) {
  return { ...services, log: app.log, viewer: user(id, role) };
}

/** Fills the server of a mode. */
export async function makeWorld(app: TestApp, mode: Mode): Promise<World> {
  const toFolder = async (name: string) => {
    const { id, uuid } = await createFolder(asUser(app), { name });
    return { id, uuid, globalId: globalId('Folder', id) };
  };
  const [folder, other] = [await toFolder('Inside'), await toFolder('Outside')];
  const { id } = await makeTag(app.services.db);
  const tag = { id, globalId: globalId('Tag', id) };
  const newItem = (visibility: Visibility) => makeItem(app, { folder, tag, visibility });
  const items = {} as World['items'];
  for (const visibility of VISIBILITIES) items[visibility] = await newItem(visibility);
  return {
    app,
    mode,
    folder,
    other,
    tag,
    items,
    ghost: GHOST,
    newItem,
    headers: await makeHeaders(app, folder, other),
  };
}

type Folder = World['folder'];

async function makeHeaders(app: TestApp, folder: Folder, other: Folder): Promise<World['headers']> {
  const { services } = app;
  const key = async (more: object) => {
    const made = await makeKey(services, { name: randomUUID(), role: 'editor', ...more });
    return { authorization: `Bearer ${made}` };
  };
  const column = async (headers: { authorization: string }, columns: object) => {
    const last = await services.db
      .selectFrom('api_key')
      .select('id')
      .orderBy('id', 'desc')
      .limit(1);
    const { id } = await last.executeTakeFirstOrThrow();
    await services.db.updateTable('api_key').set(columns).where('id', '=', id).execute();
    return headers;
  };
  return {
    anonymous: {},
    signed: {},
    reader: await bearer('reader', { role: 'reader' }),
    owner: await bearer('owner'),
    stranger: await bearer('stranger'),
    admin: { authorization: `Bearer ${app.adminKey}` },
    inside: await key({ startNodes: [folder.uuid] }),
    outside: await key({ startNodes: [other.uuid] }),
    expired: await column(await key({ role: 'admin' }), { expires_at: 1 }),
    revoked: await column(await key({ role: 'admin' }), { revoked_at: 1 }),
  };
}

interface Making {
  folder: Folder;
  tag: World['tag'];
  visibility: Visibility;
}

async function makeItem(app: TestApp, { folder, tag, visibility }: Making): Promise<Item> {
  const word = `w${randomUUID().replaceAll('-', '')}`;
  const ctx = asUser(app);
  const { id, uuid } = await uploadFile(ctx, {
    ...{ filename: 'picture.png', bytes: inPieces(PICTURE), title: word, folderId: folder.id },
    visibility: visibility.toLowerCase() as Lowercase<Visibility>,
  });
  await tagMedia(ctx, { mediaIds: [id], addTagIds: [tag.id] });
  const job = toJobRow(Date.now(), { status: 'paused', media_id: id, created_by: 'owner' });
  const jobId = (await insertJob(app.services.db, job)).id;
  const query = `query ($id: ID!) { node(id: $id) { ... on Media { file { id md5 url signedUrl } image { url(width: 8) } } } }`;
  const admin = { authorization: `Bearer ${app.adminKey}` };
  const { data } = await graphql(app, query, { id: globalId('Media', id) }, admin);
  const { id: fileId, md5, url, signedUrl } = data.node.file;
  return {
    ...{
      id,
      uuid,
      word,
      globalId: globalId('Media', id),
      signature: new URL(signedUrl).search.slice(1),
    },
    file: { globalId: fileId, md5, path: new URL(url).pathname },
    imagePath: new URL(data.node.image.url).pathname,
    job: { globalId: globalId('Job', jobId), uuid: job.uuid },
  };
}

/** Creates an upload session of `owner` that has received the bytes of one image. Returns its id. */
export async function newSession({ app }: World, totalBytes = PICTURE.length): Promise<string> {
  const place = { offsetBytes: 0, totalBytes };
  const chunk = { bytes: inPieces(PICTURE) };
  const file = { filename: 'picture.png', declaredType: null };
  return (await appendChunk(asUser(app), { ...file, ...place, chunk })).uploadId;
}

/** Moves an item into the trash, as an admin does. */
export function discard({ app }: World, { id }: Item): Promise<void> {
  return deleteMedia(asUser(app, 'admin', 'admin'), id);
}

const REPLACE = `mutation ($input: ReplaceFileInput!) { replaceFile(input: $input) {
  ... on ReplaceFileSuccess { media { versions { nodes { id } } } } } }`;

/** Replaces the file of an item. Returns the id of the version that this makes. */
export async function newVersion({ app }: World, item: Item): Promise<string> {
  const admin = { authorization: `Bearer ${app.adminKey}` };
  const files = { 'input.file': new File([new Uint8Array(PICTURE)], 'other.png') };
  const input = { id: item.globalId, file: null };
  const { data } = await graphql(app, REPLACE, { input }, { ...admin, files });
  return data.replaceFile.media.versions.nodes[0].id;
}

/** Creates a folder of `owner` in the folder of the items. */
export async function newFolder({ app, folder }: World) {
  const { id, uuid } = await createFolder(asUser(app), { name: 'New', parentId: folder.id });
  return { id, uuid, globalId: globalId('Folder', id) };
}

/** Creates a tag. */
export async function newTag({ app }: World) {
  const { id } = await makeTag(app.services.db);
  return { id, globalId: globalId('Tag', id) };
}

/** Creates a user whose password is `right`. Returns its name and id. */
export async function newUser({ app }: World) {
  const name = randomUUID();
  const columns = { name, role: 'reader', start_nodes: null, password: 'a hash', created_by: null };
  const now = Date.now();
  const row = { ...columns, created_at: now, updated_at: now };
  const { id } = await insertUser(app.services.db, row);
  return { name, globalId: globalId('User', id) };
}

/** Creates a key. Returns its id. */
export async function newKeyId({ app }: World): Promise<string> {
  await makeKey(app.services, { name: randomUUID(), role: 'reader' });
  const last = app.services.db.selectFrom('api_key').select('id').orderBy('id', 'desc').limit(1);
  return globalId('ApiKey', (await last.executeTakeFirstOrThrow()).id);
}
