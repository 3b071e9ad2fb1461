import { randomUUID } from 'node:crypto';
import {
  admins,
  anyCredential,
  editors,
  everyone,
  folderOwnerOrAdmin,
  inFolder,
  jobsOfItem,
  listedInFolder,
  onlyOwnerOrAdmin,
  openOr,
  ownerOrAdmin,
  type Rule,
  sessionOwner,
  trashOwner,
  trashReader,
  VIEWER_NAMES,
  whoAddsAndSees,
  whoSees,
  whoSeesFolder,
  whoSeesWithCredential,
} from './expectation.ts';
import {
  type Cell,
  json,
  mutation,
  type Operation,
  PICTURE,
  PICTURE_MD5,
  query,
} from './request.ts';
import {
  discard,
  globalId,
  type Item,
  newFolder,
  newKeyId,
  newSession,
  newTag,
  newUser,
  newVersion,
  type World,
} from './world.ts';

type Send = Operation['send'];
type More = Partial<Operation>;

/** A folder that the viewer may add to. */
const ownFolder = ({ viewer, world: { folder, other } }: Cell) =>
  viewer === 'outside' ? other : folder;

const idOf = ({ item }: Cell) => item.globalId;
const uuidOf = ({ item }: Cell) => item.uuid;

/** A query about an item; `shows` for a list. */
const item = (rule: Rule, field: string, more: More = {}): Operation => ({
  ...{ rule, ofItem: true, ...more },
  send: (cell) => query(fill(field, cell)),
});

/** A query that lists the item among others. */
const list = (rule: Rule, field: string, more: More = {}) =>
  item(rule, field, { shows: uuidOf, ...more });

/** A query that is not about an item. */
const plain = (rule: Rule, field: string, more: More = {}): Operation => ({
  ...{ rule, ...more },
  send: (cell) => query(fill(field, cell)),
});

/** A mutation that is not about an item. */
const change = (rule: Rule, send: Send, more: More = {}): Operation => ({ rule, send, ...more });

/** A mutation of an item. */
const ofItem = (rule: Rule, send: Send, more: More = {}): Operation => ({
  ...{ rule, send, ofItem: true, ...more },
});

/** Puts the ids of a cell into a query. */
function fill(field: string, { item, world: { folder, tag } }: Cell): string {
  const values: Record<string, string | number> = {
    $job: item.job.globalId,
    $uuid: item.uuid,
    $word: item.word,
    $id: item.globalId,
    $folder: folder.globalId,
    $folderUuid: folder.uuid,
    $tag: tag.globalId,
    $md5: item.file.md5,
  };
  return field.replace(/\$(\w+)/g, (name) => JSON.stringify(values[name]));
}

/** A mutation of what a filter selects: of the items of others, the viewer learns nothing. */
const selection = (type: string, change: object) =>
  ofItem(trashOwner, (cell) => selected(type, cell, change), { shows: isCounted });

const isCounted = () => '"count":1';
const tagsOf = ({ world }: Cell) => ({ addTagIds: [world.tag.globalId] });

function selected(type: string, cell: Cell, change: object) {
  const name = type.charAt(0).toLowerCase() + type.slice(1);
  const fields = `... on Error { code message } ... on ${type}Success { count }`;
  return json('POST /graphql', {
    query: `mutation ($input: ${type}Input!) { result: ${name}(input: $input) { ${fields} } }`,
    variables: { input: { filter: { ids: [idOf(cell)] }, dryRun: true, ...change } },
  });
}

/** The items that operations have made for themselves. */
const OWN_ITEMS = new WeakMap<Cell, Item & { version?: string }>();

/** The refusal of an operation on an item of its own names that one, so it differs from that of a missing item. */
const OWN: More = { tells: VIEWER_NAMES };

const NO_VERSION = globalId('FileVersion', 99_999_999);

/** Returns an item that no other cell has, after a change that no other cell may see; a missing item stays missing. */
async function ownItem(
  cell: Cell,
  prepare: (world: World, item: Item) => Promise<unknown>,
): Promise<Item & { version?: string }> {
  const { world, visibility } = cell;
  if (cell.item === world.ghost) return cell.item;
  const item = await world.newItem(visibility);
  const made = await prepare(world, item);
  const own = { ...item, ...(typeof made === 'string' && { version: made }) };
  OWN_ITEMS.set(cell, own);
  return own;
}

/**
 * The rule of every operation of GraphQL: a line for each, `Type.field`, and `#` with a name for another use of it. An
 * operation without a line fails the test.
 */
export const GRAPHQL: Readonly<Record<string, Operation>> = {
  'Query.viewer': plain(everyone, 'viewer { id }'),
  'Query.node': item(whoSees, 'node(id: $id) { id }'),
  'Query.node#job': item(whoSeesWithCredential, 'node(id: $job) { id }'),
  'Query.nodes': item(whoSees, 'nodes(ids: [$id]) { id }'),
  'Query.media': item(whoSees, 'media(by: { uuid: $uuid }) { id }'),
  'Query.media#resource': item(whoSees, 'media(by: { resource: $uuid }) { id }'),
  'Query.medias': list(
    whoSees,
    'medias(first: 200, filter: { folderId: $folder }) { totalCount nodes { uuid } }',
  ),
  'Query.medias#search': list(
    whoSees,
    'medias(first: 200, filter: { search: $word }) { totalCount nodes { uuid } }',
  ),
  'Query.medias#tag': list(
    whoSees,
    'medias(first: 200, filter: { tagIds: [$tag] }) { totalCount nodes { uuid } }',
  ),
  'Query.medias#ids': list(
    whoSees,
    'medias(first: 200, filter: { ids: [$id] }) { totalCount nodes { uuid } }',
  ),
  'Query.medias#jobs': list(
    jobsOfItem,
    'media(by: { uuid: $uuid }) { jobs { totalCount nodes { uuid } } }',
    {
      shows: ({ item }) => item.job.uuid,
    },
  ),
  'Query.folder': plain(whoSeesFolder, 'folder(by: { uuid: $folderUuid }) { id }'),
  'Query.folder#medias': list(
    listedInFolder,
    'folder(by: { uuid: $folderUuid }) { medias(first: 200) { totalCount nodes { uuid } } }',
  ),
  'Query.folder#children': list(
    listedInFolder,
    'folder(by: { uuid: $folderUuid }) { children(first: 200) { totalCount nodes { uuid } } }',
  ),
  'Query.rootFolders': plain(whoSeesFolder, 'rootFolders { totalCount nodes { uuid } }', {
    shows: ({ world }) => world.folder.uuid,
  }),
  'Query.folders': plain(whoSeesFolder, 'folders(first: 1000) { totalCount nodes { uuid } }', {
    shows: ({ world }) => world.folder.uuid,
  }),
  'Query.medias#facets': list(
    whoSees,
    'medias(first: 200) { nodes { uuid } facets { totalSizeBytes types { count } } }',
  ),
  'Query.rootChildren': plain(whoSeesFolder, 'rootChildren { totalCount nodes { uuid } }', {
    shows: ({ world }) => world.folder.uuid,
  }),
  'Query.tag': plain(everyone, 'tag(by: { id: $tag }) { id }'),
  'Query.tag#medias': list(
    whoSees,
    'tag(by: { id: $tag }) { medias(first: 200) { totalCount nodes { uuid } } }',
  ),
  'Query.tags': plain(everyone, 'tags { totalCount }'),
  'Query.job': item(whoSeesWithCredential, 'job(by: { id: $job }) { id }'),
  'Query.jobs': list(whoSeesWithCredential, 'jobs(first: 200) { nodes { uuid } }', {
    shows: ({ item }) => item.job.uuid,
  }),
  'Query.jobs#media': list(
    whoSeesWithCredential,
    'jobs(filter: { mediaId: $id }) { totalCount nodes { uuid } }',
    { shows: ({ item }) => item.job.uuid },
  ),
  'Query.uploadSession': {
    rule: ({ viewer }) => (viewer === 'owner' ? 'ok' : 'absent'),
    send: async ({ world }) =>
      query(`uploadSession(uploadId: "${await newSession(world)}") { offset }`),
  },
  'Query.uploadSessions': {
    rule: ({ viewer }) => (viewer === 'owner' ? 'ok' : 'absent'),
    shows: () => 'picture.png',
    send: async ({ world }) => {
      await newSession(world);
      return query('uploadSessions { nodes { filename } }');
    },
  },
  'Query.apiKeys': plain(admins, 'apiKeys { totalCount }'),
  'Query.users': plain(admins, 'users { totalCount }'),
  'Query.auditLog': plain(admins, 'auditLog { totalCount }'),
  'Query.media#history': list(
    onlyOwnerOrAdmin,
    'media(by: { uuid: $uuid }) { history { totalCount nodes { action } } }',
    { shows: () => 'CREATE' },
  ),
  'Query.media#versions': {
    ...{ rule: onlyOwnerOrAdmin, ofItem: true, shows: () => 'picture.png' },
    send: async (cell) => {
      const { uuid } = await ownItem(cell, newVersion);
      return query(`media(by: { uuid: "${uuid}" }) { versions { totalCount nodes { filename } } }`);
    },
  },
  'Query.trash': plain(anyCredential, 'trash { totalCount }'),
  'Query.trash#item': {
    ...{ rule: trashReader, ofItem: true, shows: (cell) => OWN_ITEMS.get(cell)?.uuid ?? '' },
    send: async (cell) => {
      await ownItem(cell, discard);
      return query('trash(first: 200) { nodes { uuid } }');
    },
  },
  'Query.storageUsage': plain(everyone, 'storageUsage { bytes }'),

  'Mutation.updateMedia': ofItem(ownerOrAdmin, (cell) =>
    mutation('updateMedia', { id: idOf(cell), keywords: 'a' }),
  ),
  'Mutation.updateMedias': ofItem(ownerOrAdmin, (cell) =>
    mutation('updateMedias', { ids: [idOf(cell)], keywords: 'a' }),
  ),
  'Mutation.tagMedia': ofItem(ownerOrAdmin, (cell) =>
    mutation('tagMedia', { mediaIds: [idOf(cell)], addTagIds: [cell.world.tag.globalId] }),
  ),
  'Mutation.moveNodes': ofItem(ownerOrAdmin, (cell) =>
    mutation('moveNodes', { ids: [idOf(cell)], parentId: ownFolder(cell).globalId }),
  ),
  'Mutation.placeNodes': ofItem(ownerOrAdmin, (cell) =>
    mutation('placeNodes', { ids: [idOf(cell)], parentId: ownFolder(cell).globalId }),
  ),
  'Mutation.copyMedia': ofItem(whoAddsAndSees, (cell) =>
    mutation('copyMedia', { id: idOf(cell), folderId: null }),
  ),
  'Mutation.deleteWhere': selection('DeleteWhere', {}),
  'Mutation.updateWhere': selection('UpdateWhere', { title: 'a' }),
  'Mutation.tagWhere': ofItem(trashOwner, (cell) => selected('TagWhere', cell, tagsOf(cell)), {
    shows: isCounted,
  }),
  'Mutation.replaceFile': ofItem(
    ownerOrAdmin,
    (cell) => mutation('replaceFile', { id: idOf(cell), file: null }, 'file'),
    { once: true },
  ),
  'Mutation.deleteMedia': ofItem(
    ownerOrAdmin,
    (cell) => mutation('deleteMedia', { id: idOf(cell) }),
    { once: true },
  ),
  'Mutation.createArchiveUrl': ofItem(
    (facts) => (facts.mode === 'open' ? whoSees : whoSeesWithCredential)(facts),
    (cell) => mutation('createArchiveUrl', { ids: [idOf(cell)] }),
  ),
  'Mutation.deleteNodes': ofItem(
    ownerOrAdmin,
    (cell) => mutation('deleteNodes', { ids: [idOf(cell)] }),
    { once: true },
  ),
  'Mutation.restoreNodes': ofItem(
    trashOwner,
    async (cell) => mutation('restoreNodes', { ids: [(await ownItem(cell, discard)).globalId] }),
    OWN,
  ),
  'Mutation.deleteNodes#trash': ofItem(
    trashOwner,
    async (cell) => {
      const ids = [(await ownItem(cell, discard)).globalId];
      return mutation('deleteNodes', { ids, permanently: true });
    },
    OWN,
  ),
  'Mutation.emptyTrash': change(editors, () => mutation('emptyTrash', {})),
  'Mutation.restoreVersion': ofItem(
    ownerOrAdmin,
    async (cell) => {
      const { globalId, version } = await ownItem(cell, newVersion);
      const input = { mediaId: globalId, versionId: version ?? NO_VERSION };
      return mutation('restoreVersion', input);
    },
    OWN,
  ),
  'Mutation.signalJob': ofItem(ownerOrAdmin, ({ item }) =>
    mutation('signalJob', { id: item.job.globalId, signal: 'PAUSE' }),
  ),
  'Mutation.deleteJob': ofItem(
    admins,
    ({ item }) => mutation('deleteJob', { id: item.job.globalId }),
    { once: true },
  ),

  'Mutation.createMedia': change(openOr(editors), () => mutation('createMedia', EMBED)),
  'Mutation.createMedia#folder': change(inFolder(openOr(editors)), ({ world }) =>
    mutation('createMedia', { ...EMBED, folderId: world.folder.globalId }),
  ),
  'Mutation.uploadFile': change(openOr(editors), () =>
    mutation('uploadFile', { file: null }, 'file'),
  ),
  'Mutation.uploadFile#folder': change(inFolder(openOr(editors)), ({ world }) =>
    mutation('uploadFile', { file: null, folderId: world.folder.globalId }, 'file'),
  ),
  'Mutation.uploadChunk': change(openOr(editors), () =>
    mutation(
      'uploadChunk',
      { chunk: null, offset: 0, totalBytes: PICTURE.length, filename: 'a.png' },
      'chunk',
    ),
  ),
  'Mutation.uploadChunk#session of another': change(sessionOwner, async ({ world }) =>
    mutation(
      'uploadChunk',
      { ...SECOND_HALF, uploadId: await newSession(world, 2 * PICTURE.length) },
      'chunk',
    ),
  ),
  'Mutation.completeUpload': change(sessionOwner, async ({ world }) =>
    mutation('completeUpload', { uploadId: await newSession(world), md5: PICTURE_MD5 }),
  ),
  'Mutation.abortUpload': change(sessionOwner, async ({ world }) =>
    mutation('abortUpload', { uploadId: await newSession(world) }),
  ),
  'Mutation.importUrl': change(editors, () =>
    mutation('importUrl', { url: 'https://x.org/a.png' }),
  ),
  'Mutation.importUrl#folder': change(inFolder(editors), ({ world }) =>
    mutation('importUrl', { url: 'https://x.org/a.png', folderId: world.folder.globalId }),
  ),

  'Mutation.createFolder': change(inFolder(editors), ({ world }) =>
    mutation('createFolder', { name: 'a', parentId: world.folder.globalId }),
  ),
  'Mutation.updateFolder': change(folderOwnerOrAdmin, ({ world }) =>
    mutation('updateFolder', { id: world.folder.globalId, name: 'Inside' }),
  ),
  'Mutation.deleteFolder': change(folderOwnerOrAdmin, async ({ world }) =>
    mutation('deleteFolder', { id: (await newFolder(world)).globalId }),
  ),

  'Mutation.createTag': change(openOr(editors), () => mutation('createTag', { name: 'a' })),
  'Mutation.updateTag': change(openOr(admins), async ({ world }) =>
    mutation('updateTag', { id: (await newTag(world)).globalId, name: 'b' }),
  ),
  'Mutation.deleteTag': change(openOr(admins), async ({ world }) =>
    mutation('deleteTag', { id: (await newTag(world)).globalId }),
  ),

  'Mutation.createApiKey': change(admins, () =>
    mutation('createApiKey', { name: 'a', role: 'READER' }),
  ),
  'Mutation.revokeApiKey': change(admins, async ({ world }) =>
    mutation('revokeApiKey', { id: await newKeyId(world) }),
  ),
  'Mutation.createUser': change(admins, () =>
    mutation('createUser', { name: randomUUID(), password: 'a password' }),
  ),
  'Mutation.updateUser': change(admins, async ({ world }) =>
    mutation('updateUser', { id: (await newUser(world)).globalId, role: 'EDITOR' }),
  ),
  'Mutation.deleteUser': change(admins, async ({ world }) =>
    mutation('deleteUser', { id: (await newUser(world)).globalId }),
  ),
  'Mutation.signIn': change(everyone, async ({ world }) =>
    mutation('signIn', { name: (await newUser(world)).name, password: 'right' }),
  ),
  'Mutation.signOut': change(everyone, () => mutation('signOut', null)),
  // Only the session of a user has a password.
  'Mutation.changePassword': change(
    (facts) => (anyCredential(facts) === 'ok' ? 'forbidden' : 'unauthenticated'),
    () => mutation('changePassword', { currentPassword: 'a', newPassword: 'a password' }),
  ),
};

const SECOND_HALF = { chunk: null, offset: PICTURE.length, totalBytes: 2 * PICTURE.length };
const EMBED = { type: 'EMBED', embedType: 'a', embedId: 'b' };
