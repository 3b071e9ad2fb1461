import { type Insertable, sql } from 'kysely';
import { withSortKey } from '../../src/store/columns.ts';
import type { Db } from '../../src/store/db.ts';
import { dialectOf } from '../../src/store/dialect.ts';
import type { MediaTagTable, NewFileRow, NewNodeRow } from '../../src/store/table.ts';
import { indexMedias } from '../../src/store/tag/tag.ts';
import type { NodeFilter } from '../../src/store/tree/condition/condition.ts';
import { writeWords } from '../../src/store/tree/words.ts';
import { makeFolder, makeTag } from './make.ts';
import { createRandom } from './random.ts';

/** A node with what filters compare, to which a list is compared. */
export interface TestNode {
  id: number;
  type: string;
  parent_id: number | null;
  path: string;
  sort_order: number;
  name: string;
  name_sort: string;
  owner: string | null;
  is_public: number;
  created_at: number;
  updated_at: number;
  tagIds: number[];
  mimeType: string | null;
  md5: string | null;
}

/** More than the greatest number of nodes that a list sorts, so that lists of half of them are walks. */
const MEDIA_COUNT = 8000;
const ROWS_AT_ONCE = 500;

/** What the data has most of: over half of all media are in this folder, and as many have this tag. */
export interface ListData {
  nodes: TestNode[];
  giantFolder: number;
  smallFolder: number;
  giantTag: number;
  smallTag: number;
  rareTag: number;
}

/** Inserts media of which over half share a folder, a tag, a type, an owner, a MIME type and a word. */
export async function makeListData(db: Db): Promise<ListData> {
  const random = createRandom(11);
  const [giantFolder, smallFolder] = [await makeFolder(db), await makeFolder(db)];
  const nested = { parent_id: giantFolder, level: 2, path: `/1/${giantFolder}/` };
  const subfolder = await makeFolder(db, { ...nested, is_public: 1, sort_order: 500 });
  const tags = [];
  for (const name of ['giant', 'small', 'rare']) tags.push(await makeTag(db, { name }));
  const [giantTag, smallTag, rareTag] = tags.map(({ id }) => id) as [number, number, number];
  const places = [
    nested,
    nested,
    nested,
    { parent_id: smallFolder, level: 2, path: `/1/${smallFolder}/` },
    { parent_id: subfolder, level: 3, path: `/1/${giantFolder}/${subfolder}/` },
    { parent_id: null, level: 0, path: '' },
  ];
  const oneOf = <T>(values: readonly T[]) => values[random(values.length)] as T;
  const medias: NewNodeRow[] = [];
  const files: NewFileRow[] = [];
  const labels: Insertable<MediaTagTable>[] = [];
  for (let index = 0; index < MEDIA_COUNT; index++) {
    const id = 1000 + index;
    medias.push({
      id,
      uuid: `00000000-0000-4000-8000-${String(id).padStart(12, '0')}`,
      ...(random(10) < 6 ? nested : oneOf(places)),
      type: random(10) < 7 ? 'image' : oneOf(['doc', 'doc', 'video', 'file']),
      sort_order: random(300),
      name: `${random(10) < 6 ? 'photo' : oneOf(['map', 'Épreuve', 'map-12'])} ${random(2000)}`,
      owner: random(10) < 6 ? 'alice' : oneOf(['bob', 'carol', null]),
      is_public: Number(random(10) < 6),
      created_at: 1_000_000 + random(5000),
      updated_at: 2_000_000 + random(5000),
    });
    files.push(fileOf(id, random(10) < 7 ? 'image/png' : oneOf(['image/gif', 'text/plain'])));
    for (const [tag_id, chance] of [
      [giantTag, 0.6],
      [smallTag, 0.1],
      [rareTag, 0.001],
    ] as const) {
      const { created_at, is_public = 0 } = medias[index] as NewNodeRow;
      if (random(1000) < chance * 1000)
        labels.push({ media_id: id, tag_id, created_at, is_public });
    }
  }
  await withoutTriggers(db, async () => {
    await insertAll(medias, async (rows) => {
      const values = rows.map(withSortKey);
      await writeWords(db, await db.insertInto('media').values(values).returningAll().execute());
    });
    await insertAll(files, (rows) => db.insertInto('file').values(rows).execute());
    await insertAll(labels, (rows) => db.insertInto('media_tag').values(rows).execute());
  });
  return { nodes: await nodesOf(db), giantFolder, smallFolder, giantTag, smallTag, rareTag };
}

/** PostgreSQL's triggers take a second for a thousand rows; the words of all are written at once instead. */
async function withoutTriggers(db: Db, work: () => Promise<void>): Promise<void> {
  if (dialectOf(db) === 'sqlite') return work();
  const toggle = async (what: 'disable' | 'enable') => {
    for (const table of ['media', 'media_tag']) {
      await sql`alter table ${sql.table(table)} ${sql.raw(what)} trigger user`.execute(db);
    }
  };
  await toggle('disable');
  await work();
  await toggle('enable');
  const ids = await db.selectFrom('media').select('id').execute();
  await indexMedias(
    db,
    ids.map(({ id }) => id),
  );
}

function fileOf(mediaId: number, mimeType: string): NewFileRow {
  return {
    uuid: `00000000-0000-4000-9000-${String(mediaId).padStart(12, '0')}`,
    media_id: mediaId,
    key: '',
    filename: 'a.png',
    extension: 'png',
    mime_type: mimeType,
    size_bytes: 1,
    md5: String(mediaId % 3000).padStart(32, '0'),
    dir: `d${mediaId}`,
    url_name: 'a.png',
    blob_key: `b${mediaId}`,
    created_at: 1,
    updated_at: 1,
  };
}

async function insertAll<Row>(rows: Row[], insert: (rows: Row[]) => Promise<unknown>) {
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
    await insert(rows.slice(at, at + ROWS_AT_ONCE));
  }
}

async function nodesOf(db: Db): Promise<TestNode[]> {
  const rows = await db.selectFrom('media').where('id', '<>', 1).selectAll().execute();
  const files = await db.selectFrom('file').select(['media_id', 'mime_type', 'md5']).execute();
  const labels = await db.selectFrom('media_tag').select(['media_id', 'tag_id']).execute();
  const fileByMedia = new Map(files.map((file) => [file.media_id, file]));
  const tagsByMedia = Map.groupBy(labels, ({ media_id }) => media_id);
  return rows.map((row) => ({
    ...row,
    tagIds: tagsByMedia.get(row.id)?.map(({ tag_id }) => tag_id) ?? [],
    mimeType: fileByMedia.get(row.id)?.mime_type ?? null,
    md5: fileByMedia.get(row.id)?.md5 ?? null,
  }));
}

/** Tells whether a node matches a filter, as its documentation says. */
export function matches(filter: NodeFilter, node: TestNode, tagNames: Map<number, string>) {
  const { kind = 'media', ids, types, folderId, below, tagIds = [], mimeTypes, md5 } = filter;
  const { from, to } = filter.createdAt ?? {};
  const words = wordsOf([node.name, ...node.tagIds.map((id) => tagNames.get(id) ?? '')].join(' '));
  const isOfKind = kind === 'any' || (kind === 'folder') === (node.type === 'folder');
  return [
    isOfKind,
    ids?.includes(node.id) ?? true,
    types?.includes(node.type) ?? true,
    folderId === undefined || node.parent_id === folderId,
    !filter.unfiled || node.parent_id === null,
    below === undefined || node.path.startsWith(below),
    tagIds.every((id) => node.tagIds.includes(id)),
    filter.ownedBy === undefined || node.owner === filter.ownedBy,
    from === undefined || node.created_at >= from.getTime(),
    to === undefined || node.created_at <= to.getTime(),
    mimeTypes === undefined || mimeTypes.includes(node.mimeType ?? ''),
    md5 === undefined || node.md5 === md5,
    wordsOf(filter.search ?? '').every((word) => words.some((other) => other.startsWith(word))),
  ].every(Boolean);
}

function wordsOf(text: string): string[] {
  const plain = text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
  return plain.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
}

/** Each field of a filter, with a value that most nodes match and one that few do, and pairs of those. */
export function filtersOf(data: ListData): Record<string, NodeFilter> {
  const { giantFolder, smallFolder, giantTag, smallTag, rareTag, nodes } = data;
  const ids = nodes.slice(100, 160).map(({ id }) => id);
  const between = { from: new Date(1_001_000), to: new Date(1_001_100) };
  return {
    none: {},
    'folders and media': { kind: 'any' },
    'all folders': { kind: 'folder' },
    ids: { ids },
    'a large folder': { folderId: giantFolder },
    'a small folder': { folderId: smallFolder },
    'folders of a large folder': { folderId: giantFolder, kind: 'folder' },
    'all of a large folder': { folderId: giantFolder, kind: 'any' },
    unfiled: { unfiled: true },
    'below a large folder': { below: `/1/${giantFolder}/` },
    'below a small folder': { below: `/1/${smallFolder}/` },
    'a frequent tag': { tagIds: [giantTag] },
    'a rare tag': { tagIds: [rareTag] },
    'two tags': { tagIds: [giantTag, smallTag] },
    'tags that none has': { tagIds: [giantTag, smallTag, rareTag, 999] },
    'a frequent type': { types: ['image'] },
    'a rare type': { types: ['file'] },
    'two types': { types: ['image', 'doc'] },
    'no type': { types: [] },
    'an owner of many': { ownedBy: 'alice' },
    'an owner of few': { ownedBy: 'bob' },
    'since a time': { createdAt: { from: new Date(1_001_000) } },
    'a short time': { createdAt: between },
    'a frequent MIME type': { mimeTypes: ['image/png'] },
    'two MIME types': { mimeTypes: ['image/png', 'image/gif'] },
    'a MIME type of none': { mimeTypes: ['a/b'] },
    'an MD5': { md5: '1001'.padStart(32, '0') },
    'a frequent word': { search: 'phot' },
    'a rare word': { search: 'EPRE' },
    'two words': { search: 'photo gian' },
    'a word of none': { search: 'zebra' },
    'a frequent and an occasional word': { search: 'photo 15' },
    'occasional words and tag': { search: 'photo 15', tagIds: [giantTag] },
    'tag and type': { tagIds: [giantTag], types: ['image'] },
    'folder, tag, owner': { folderId: giantFolder, tagIds: [giantTag], ownedBy: 'alice' },
    'word and tag': { search: 'photo', tagIds: [giantTag] },
    'word and folder': { search: 'map', folderId: giantFolder },
    'rare word and MIME type': { search: 'epreuve', mimeTypes: ['image/png'] },
    'type, owner, MIME type, time': {
      types: ['image'],
      ownedBy: 'alice',
      mimeTypes: ['image/png'],
      createdAt: { from: new Date(1_000_500) },
    },
  };
}
