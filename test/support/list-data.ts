import { type Insertable, sql } from 'kysely';
import { withSortKey } from '../../src/store/columns.ts';
import type { Db } from '../../src/store/db.ts';
import { dialectOf } from '../../src/store/dialect.ts';
import type {
  MediaMetadataTable,
  MediaTagTable,
  NewFileRow,
  NewNodeRow,
} from '../../src/store/table.ts';
import { indexMedias } from '../../src/store/tag/tag.ts';
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
  title: string | null;
  owner: string | null;
  is_public: number;
  created_at: number;
  updated_at: number;
  tagIds: number[];
  mimeType: string | null;
  md5: string | null;
  size_bytes: number;
  title_sort: string;
  taken_sort: number;
  taken_at: number | null;
  duration_ms: number | null;
  latitude: number | null;
  longitude: number | null;
  alt_text: string | null;
  extension: string | null;
  width: number | null;
  height: number | null;
  metadata: string | null;
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
  const fields: Insertable<MediaMetadataTable>[] = [];
  // Of its own, so that the other columns stay what they were.
  const others = createRandom(12);
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
      ...attributesOf(others),
    });
    const file = fileOf(id, random(10) < 7 ? 'image/png' : oneOf(['image/gif', 'text/plain']));
    if (others(12) > 0) files.push({ ...file, ...fileAttributesOf(others) });
    if (others(30) === 0) fields.push({ media_id: id, key: 'rating', value: String(others(3)) });
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
    await insertAll(fields, (rows) => db.insertInto('media_metadata').values(rows).execute());
  });
  return { nodes: await nodesOf(db), giantFolder, smallFolder, giantTag, smallTag, rareTag };
}

function attributesOf(random: (below: number) => number) {
  return {
    title: random(4) === 0 ? null : `Title ${random(3000)}`,
    alt_text: random(50) === 0 ? 'text' : null,
    taken_at: random(3) === 0 ? null : random(9000) - 4000,
    duration_ms: random(20) === 0 ? random(1000) : null,
    ...(random(3) === 0 && { latitude: random(180) - 90, longitude: random(361) - 180 }),
  };
}

function fileAttributesOf(random: (below: number) => number) {
  return {
    extension: random(10) < 8 ? 'png' : random(40) === 0 ? 'webp' : null,
    ...(random(9) > 0 && { width: random(4000), height: random(3000) }),
    size_bytes: random(3000),
  };
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
  await sql`update media set taken_at = taken_at`.execute(db);
  await sql`update media set size_bytes = file.size_bytes from file where media_id = media.id`.execute(
    db,
  );
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
  const files = await db.selectFrom('file').selectAll().execute();
  const labels = await db.selectFrom('media_tag').select(['media_id', 'tag_id']).execute();
  const fields = await db.selectFrom('media_metadata').selectAll().execute();
  const fieldByMedia = new Map(fields.map(({ media_id, value }) => [media_id, value]));
  const fileByMedia = new Map(files.map((file) => [file.media_id, file]));
  const tagsByMedia = Map.groupBy(labels, ({ media_id }) => media_id);
  return rows.map((row) => ({
    ...row,
    tagIds: tagsByMedia.get(row.id)?.map(({ tag_id }) => tag_id) ?? [],
    mimeType: fileByMedia.get(row.id)?.mime_type ?? null,
    md5: fileByMedia.get(row.id)?.md5 ?? null,
    extension: fileByMedia.get(row.id)?.extension ?? null,
    width: fileByMedia.get(row.id)?.width ?? null,
    height: fileByMedia.get(row.id)?.height ?? null,
    metadata: fieldByMedia.get(row.id) ?? null,
  }));
}
