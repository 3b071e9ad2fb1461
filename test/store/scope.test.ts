import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Db } from '../../src/store/db.ts';
import * as blobKey from '../../src/store/file/blob-key.ts';
import * as file from '../../src/store/file/file.ts';
import * as fileSearch from '../../src/store/file/search.ts';
import * as version from '../../src/store/file/version.ts';
import { pathBelow } from '../../src/store/path.ts';
import { movesAfter, type PathMoves } from '../../src/store/path-move.ts';
import { EVERYTHING, isInScope, type Scope, type ScopeColumns } from '../../src/store/scope.ts';
import * as facet from '../../src/store/tree/facet.ts';
import * as folder from '../../src/store/tree/folder.ts';
import * as group from '../../src/store/tree/group.ts';
import * as media from '../../src/store/tree/media.ts';
import * as node from '../../src/store/tree/node.ts';
import * as pathMove from '../../src/store/tree/path-move.ts';
import * as subtree from '../../src/store/tree/subtree.ts';
import { describeEachBackend } from '../support/backend.ts';
import { makeFileRow, makeFolder, makeMediaRow } from '../support/make.ts';
import { createRandom } from '../support/random.ts';

/** Every module of the store that reads nodes or files. */
const MODULES = { blobKey, file, fileSearch, folder, group, media, node, subtree };

type Modules = typeof MODULES;
type IsRead<Name> = Name extends `${'find' | 'list' | 'count' | 'search'}${string}` ? Name : never;

/** The names of the lists and reads of a module that compile without a scope. */
type Unscoped<Module> = {
  [Name in keyof Module & string as IsRead<Name>]: Module[Name] extends (
    db: Db,
    ...rest: infer Rest
  ) => unknown
    ? Rest extends readonly [Scope, ...unknown[]]
      ? never
      : Name
    : Name;
};
type UnscopedReads = {
  [Module in keyof Modules]: Unscoped<Modules[Module]>[keyof Unscoped<Modules[Module]>];
}[keyof Modules];

/** Bytes have to stay whoever may see their file, and also if it is in the trash. */
type ReadOfBytes = 'listFilesByBlobKey' | 'listKnownFileBlobKeys';

describe('a list or read of the store', () => {
  it('does not compile without a scope', () => {
    // A type error here names the functions whose second parameter is not a scope.
    checkNone<Exclude<UnscopedReads, ReadOfBytes>>();
    const calls = (db: Db) => [
      // @ts-expect-error The scope is missing.
      node.listNodes(db, {}, { name: 'a', columns: [], descending: false }, { limit: 1 }),
      // @ts-expect-error An empty object is not a scope.
      node.listNodesByIds(db, {}, [1]),
      // @ts-expect-error Half of a scope is not a scope.
      node.countNodes(db, { publicOnly: true }, {}),
      // @ts-expect-error The scope is missing.
      facet.countFacets(db, { filter: {} }, { types: true, months: true, size: true, tags: 1 }),
      // @ts-expect-error The scope is missing.
      media.findMediaById(db, 1),
      // @ts-expect-error The scope is missing.
      file.listFilesByIds(db, [1]),
      // @ts-expect-error The scope is missing.
      version.listVersionsByIds(db, [1]),
    ];
    expect(calls).toBeTypeOf('function');
  });

  it('is in a module that the type test knows', () => {
    const known = [
      ...['blob-key.ts', 'duplicate.ts', 'file.ts', 'search.ts', 'version.ts'],
      ...['facet.ts', 'folder.ts', 'group.ts', 'media.ts'],
    ];
    const files = ['file', 'tree'].flatMap((room) => readdirSync(`src/store/${room}`));
    // These build the statements of `node.ts` and `group.ts`, or choose who runs them.
    const parts = [
      ...['attribute.ts', 'condition.ts', 'membership.ts', 'original.ts'],
      'by-id.ts',
      'choice.ts',
      'count.ts',
      'filter.ts',
      'plain.ts',
      'relevance.ts',
      'frequency.ts',
      'selection.ts',
      'visibility.ts',
      'sent-file.ts',
    ];
    // `deletion.ts` and `path-move.ts` have the subtrees that scopes exclude and move, `words.ts` and `metadata.ts` only
    // write.
    // `address.ts` and `dir.ts` have parts of URLs, for the uniqueness of a new one; `hidden.ts` has what a viewer does not
    // see; `damage.ts`, `details.ts` and `blob-hold.ts` are for checks, jobs and backups of all files.
    const others = [
      ...[
        'address.ts',
        'blob-hold.ts',
        'damage.ts',
        'details.ts',
        'dir.ts',
        'hidden.ts',
        'metadata.ts',
      ],
      'deletion.ts',
      'path-move.ts',
      'node.ts',
      'subtree.ts',
      'walk.ts',
      'words.ts',
    ];
    expect(files.sort()).toEqual([...known, ...parts, ...others].sort());
  });
});

function checkNone<_Names extends never>(): void {}

interface TestTree {
  folderIds: number[];
  mediaIds: number[];
  nodes: ScopeColumns[];
}

const OWNERS = ['alice', 'bob', null];
const LEVELS_MAX = 4;

/** A random tree: folders in folders, media in folders and unfiled, public and not, of several owners. */
async function makeTree(db: Db, random: (below: number) => number): Promise<TestTree> {
  const columns = () => ({
    is_public: random(4) === 0 ? -1 : random(2),
    owner: OWNERS[random(OWNERS.length)] ?? null,
  });
  const places = [{ parent_id: folder.ROOT_ID, level: 1, path: `/${folder.ROOT_ID}/` }];
  const place = () => places[random(places.length)]!;
  const folderIds: number[] = [];
  for (let count = 0; count < 12; count++) {
    const at = place();
    const { is_public, owner } = columns();
    const id = await makeFolder(db, { ...at, owner, is_public: Math.max(0, is_public) });
    folderIds.push(id);
    const inside = { parent_id: id, level: at.level + 1, path: `${at.path}${id}/` };
    if (inside.level <= LEVELS_MAX) places.push(inside);
  }
  const mediaIds: number[] = [];
  for (let count = 0; count < 24; count++) {
    const at = random(3) === 0 ? {} : place();
    const id = await makeMediaRow(db, { ...at, ...columns() });
    await makeFileRow(db, id);
    mediaIds.push(id);
  }
  return { folderIds, mediaIds, nodes: await nodesOf(db) };
}

function nodesOf(db: Db): Promise<(ScopeColumns & { level: number })[]> {
  return db
    .selectFrom('media')
    .where('id', '!=', folder.ROOT_ID)
    .select(['id', 'parent_id', 'path', 'level', 'owner', 'is_public'])
    .orderBy('id')
    .execute();
}

/** Start nodes as a credential names them: some nodes of the tree, and one that has been deleted. */
function makeScope({ nodes }: TestTree, random: (below: number) => number): Scope {
  const count = random(4);
  const starts = Array.from({ length: count }, () => nodes[random(nodes.length)]!);
  const subtrees = starts.map(({ id, path }) => ({ id, below: `${path}${id}/` }));
  const deleted = { id: 999_999, below: '/1/999999/' };
  const owner = OWNERS[random(2)] ?? '';
  return {
    publicOnly: random(2) === 1,
    hiding: [null, { exceptOf: null }, { exceptOf: 'alice' }][random(3)] ?? null,
    within: random(4) === 0 ? null : { subtrees: [...subtrees, deleted], owner },
    excluding: [],
    moved: [],
  };
}

/** Excludes up to two subtrees that are being deleted, or media items, as they are after all moves. */
function withExcluded(scope: Scope, nodes: ScopeColumns[], random: (below: number) => number) {
  const tops = Array.from({ length: random(3) }, () => nodes[random(nodes.length)]!);
  return { ...scope, excluding: tops.map(({ id, path }) => ({ id, below: `${path}${id}/` })) };
}

/**
 * Moves some folders, so that the paths of start nodes are those of an earlier time. With `isPending`, the paths below
 * them are those before the move, or some are and some are not.
 */
async function moveSome(
  db: Db,
  tree: TestTree,
  random: (below: number) => number,
  { isPending }: { isPending: boolean },
): Promise<PathMoves> {
  for (let count = 0; count < (isPending ? 6 : 3); count++) {
    const moves = await pathMove.listPathMoves(db);
    const scope = { ...EVERYTHING, moved: moves };
    const rows = await node.listNodesByIds(db, scope, tree.folderIds);
    const moved = rows[random(rows.length)]!;
    const target = rows[random(rows.length)]!;
    if (pathBelow(target).includes(`/${moved.id}/`)) continue;
    const path = pathBelow(target);
    const to = { path, level: path.split('/').length - 2 };
    await subtree.moveNode(db, { id: moved.id, parentId: target.id, sortOrder: 0, to, now: 0 });
    const change = { from: pathBelow(moved), to: pathBelow({ id: moved.id, path }) };
    const isWritten = !isPending || random(3) === 0;
    if (isWritten) {
      for (const { part, ids } of (await pathMove.listSmallSubtree(db, moves, change.from, 999))!) {
        const actual = change.to + part.actual.slice(change.from.length);
        await pathMove.rewritePaths(db, ids, { stored: part.prefix, actual });
      }
    }
    await pathMove.replacePathMoves(db, movesAfter(moves, { ...change, isWritten }));
    if (isPending) await rewriteSome(db, random(3));
  }
  return pathMove.listPathMoves(db);
}

/** Rewrites some rows of the longest move. */
async function rewriteSome(db: Db, count: number): Promise<void> {
  const moves = await pathMove.listPathMoves(db);
  const [longest] = moves.sort((a, b) => b.stored.length - a.stored.length);
  if (longest === undefined) return;
  const part = { prefix: longest.stored, except: [] };
  const ids = await pathMove.listIdsInPart(db, part, count);
  await pathMove.rewritePaths(db, ids, longest);
}

/** Returns the paths that the rows of the folders above them give. */
function pathsByParents(nodes: ScopeColumns[]): Map<number, string> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const pathOf = ({ parent_id }: ScopeColumns): string => {
    if (parent_id === null) return '';
    const parent = byId.get(parent_id);
    return parent === undefined ? `/${parent_id}/` : `${pathOf(parent)}${parent_id}/`;
  };
  return new Map(nodes.map((node) => [node.id, pathOf(node)]));
}

const ROUNDS = 8;
const SCOPES = 12;
/** The same, while moves are in progress. */
const MOVED_ROUNDS = 5;
const MOVED_SCOPES = 4;
const BY_ID = {
  name: 'by id',
  columns: [{ name: 'id', type: 'number' }],
  descending: false,
} as const;
const idsOf = (rows: readonly { id: number }[]) => rows.map(({ id }) => id).sort((a, b) => a - b);

describeEachBackend('a scope', (backend) => {
  it('contains the same nodes and files in SQL and in JavaScript, also after start nodes have moved', () =>
    backend.withDb(async (db) => {
      const random = createRandom(20_260_101);
      let shown = 0;
      for (let round = 0; round < ROUNDS; round++) {
        await db.deleteFrom('file').execute();
        await db.deleteFrom('media').where('id', '!=', folder.ROOT_ID).execute();
        const tree = await makeTree(db, random);
        const scopes = Array.from({ length: SCOPES }, () => makeScope(tree, random));
        await moveSome(db, tree, random, { isPending: false });
        const nodes = await nodesOf(db);
        const excluding = [...scopes, EVERYTHING, EVERYTHING].map((scope) =>
          withExcluded(scope, nodes, random),
        );
        for (const scope of [...scopes, EVERYTHING, ...excluding]) {
          const expected = idsOf(nodes.filter((node) => isInScope(scope, node)));
          expect(await listAll(db, scope), JSON.stringify(scope)).toEqual(expected);
          const medias = expected.filter((id) => tree.mediaIds.includes(id));
          expect(await mediasOfFiles(db, scope), JSON.stringify(scope)).toEqual(medias);
          shown += expected.length;
        }
      }
      // The scopes are neither all empty nor all full.
      expect(shown).toBeGreaterThan(ROUNDS * SCOPES);
      expect(shown).toBeLessThan(ROUNDS * SCOPES * 2 * 36);
    }));

  it('contains the nodes by their current paths while jobs rewrite the paths of moved subtrees', () =>
    backend.withDb(async (db) => {
      const random = createRandom(20_260_102);
      let moves = 0;
      let shown = 0;
      for (let round = 0; round < MOVED_ROUNDS; round++) {
        await db.deleteFrom('path_move').execute();
        await db.deleteFrom('file').execute();
        await db.deleteFrom('media').where('id', '!=', folder.ROOT_ID).execute();
        const tree = await makeTree(db, random);
        const moved = await moveSome(db, tree, random, { isPending: true });
        moves += moved.length;
        const stored = await nodesOf(db);
        const paths = pathsByParents(stored);
        const nodes = stored.map((row) => ({ ...row, path: paths.get(row.id)! }));
        const rows = await node.listNodesByIds(db, { ...EVERYTHING, moved }, [...paths.keys()]);
        for (const row of rows) expect(row.path).toBe(paths.get(row.id));
        for (let count = 0; count < MOVED_SCOPES; count++) {
          const made = makeScope({ ...tree, nodes }, random);
          const scope = withExcluded(made, nodes, random);
          const expected = idsOf(nodes.filter((node) => isInScope(scope, node)));
          expect(await listAll(db, { ...scope, moved })).toEqual(expected);
          shown += expected.length;
          const top = nodes[random(nodes.length)]!;
          const filter = { kind: 'any', below: pathBelow(top) } as const;
          const below = nodes.filter(({ path }) => path.startsWith(filter.below));
          const all = { ...EVERYTHING, moved };
          expect(idsOf(await node.listNodesInOrder(db, all, filter))).toEqual(idsOf(below));
          expect(await node.countNodes(db, all, filter)).toBe(below.length);
        }
        while ((await pathMove.listPathMoves(db)).length > 0) {
          const moves = await pathMove.listPathMoves(db);
          const [longest] = moves.sort((a, b) => b.stored.length - a.stored.length);
          await rewriteSome(db, 999);
          await pathMove.replacePathMoves(
            db,
            moves.filter((move) => move !== longest),
          );
        }
        for (const row of await nodesOf(db)) {
          expect(row.path).toBe(paths.get(row.id));
          expect(row.level).toBe(Math.max(0, row.path.split('/').length - 2));
        }
      }
      expect(moves).toBeGreaterThan(MOVED_ROUNDS);
      expect(shown).toBeGreaterThan(MOVED_ROUNDS * MOVED_SCOPES);
    }));
});

/** Ids by every kind of list and read, which must agree. */
async function listAll(db: Db, scope: Scope): Promise<number[]> {
  const filter = { kind: 'any' } as const;
  const page = { limit: 200, backward: false };
  const listed = idsOf((await node.listNodes(db, scope, filter, BY_ID, page)).rows);
  const all = (await nodesOf(db)).map(({ id }) => id);
  expect(await node.countNodes(db, scope, filter)).toBe(listed.length);
  expect(idsOf(await node.listNodesByIds(db, scope, all))).toEqual(listed);
  expect(idsOf(await node.listNodesInOrder(db, scope, filter))).toEqual(listed);
  const folders = await folder.listFoldersByIds(db, scope, all);
  const medias = await media.listMediasByIds(db, scope, all);
  expect(idsOf([...folders, ...medias])).toEqual(listed);
  return listed;
}

/** Ids of the media whose files are found. */
async function mediasOfFiles(db: Db, scope: Scope): Promise<number[]> {
  const search = { conditions: [], order: [], limit: 200, offset: 0 };
  const { rows } = await fileSearch.searchFiles(db, scope, search);
  const ids = rows.map((row) => row.media_id).sort((a, b) => a - b);
  const all = (await nodesOf(db)).map(({ id }) => id);
  const byMedia = await file.listFilesByMediaIds(db, scope, all);
  expect(byMedia.map((row) => row.media_id).sort((a, b) => a - b)).toEqual(ids);
  expect(await fileSearch.countMatchingFiles(db, scope, [])).toBe(ids.length);
  return ids;
}
