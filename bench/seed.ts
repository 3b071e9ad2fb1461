import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { withSortKey } from '../src/store/columns.ts';
import { type Db, openDb } from '../src/store/db.ts';
import { migrate } from '../src/store/migrate.ts';
import type { NewFileRow, NewNodeRow, NewTagRow } from '../src/store/table.ts';
import { insertTag } from '../src/store/tag/tag.ts';
import { writeWords } from '../src/store/tree/words.ts';
import type { DataSet } from './operation.ts';

const MEDIA_COUNT = 10_000;
const TAG_COUNT = 200;
const TAGS_PER_MEDIA = 3;
/** Folders at the levels 1, 2 and 3. */
const FOLDER_COUNTS = [20, 400, 80] as const;
const FOLDER_COUNT = 500;
/** Where folders of level 3 begin, and how many of them hold 60 media. */
const LEVEL_3_AT = FOLDER_COUNTS[0] + FOLDER_COUNTS[1];
const BIG_FOLDER_COUNT = 20;
const ROOT_ID = 1;
const FIRST_FOLDER_ID = 2;
const FIRST_MEDIA_ID = FIRST_FOLDER_ID + FOLDER_COUNT;

const STARTED_AT = Date.UTC(2026, 0, 1);
/** Below SQLite's 32,766 parameters a statement for the widest row. */
const BATCH_ROWS = 500;

/**
 * Creates a data directory of media with one file each (10,000 by default), 500 folders, 200 tags and 3 tags of
 * each media item, in one transaction; the same rows each time. Returns the ids that the reads ask for.
 */
export async function seed(dataDir: string, size: SeedSize = SIZE): Promise<DataSet> {
  mkdirSync(dataDir, { recursive: true });
  return seedDatabase(`sqlite:${join(dataDir, 'trivium.db')}`, size);
}

/** Does the same in an empty database. */
export async function seedDatabase(url: string, size: SeedSize = SIZE): Promise<DataSet> {
  const db = openDb({ url });
  try {
    await migrate(db);
    return await db.transaction().execute((db) => insertAll(db, size));
  } finally {
    await db.destroy();
  }
}

interface SeedSize {
  mediaCount: number;
  tagsPerMedia: number;
}

const SIZE: SeedSize = { mediaCount: MEDIA_COUNT, tagsPerMedia: TAGS_PER_MEDIA };

async function insertAll(db: Db, { mediaCount, tagsPerMedia }: SeedSize): Promise<DataSet> {
  const folders = makeFolders();
  const medias = range(mediaCount).map((index) => makeMedia(index, mediaCount, folders));
  const mediaTags = range(mediaCount * tagsPerMedia).map((index) => ({
    media_id: FIRST_MEDIA_ID + Math.floor(index / tagsPerMedia),
    // 67 and 200 have no common divisor: the three tags of a media item differ, and all tags are used.
    tag_id: 1 + ((index * 67) % TAG_COUNT),
  }));
  for (const batch of batches([...folders, ...medias])) {
    const rows = batch.map(withSortKey);
    await writeWords(db, await db.insertInto('media').values(rows).returningAll().execute());
  }
  for (const batch of batches(range(mediaCount).map(makeFile))) {
    await db.insertInto('file').values(batch).execute();
  }
  await sql`update file set resource = (select uuid from media where id = media_id)`.execute(db);
  for (const tag of range(TAG_COUNT).map(makeTag)) await insertTag(db, tag);
  for (const batch of batches(mediaTags)) await db.insertInto('media_tag').values(batch).execute();
  const bigFolderIds = range(BIG_FOLDER_COUNT).map((index) => folders[LEVEL_3_AT + index]!.id);
  const isDeep = ({ level }: NewNodeRow) => level === 4;
  const deepMediaIds = medias
    .filter(isDeep)
    .slice(0, 64)
    .map(({ id }) => Number(id));
  return { bigFolderIds, deepMediaIds };
}

type Folder = NewNodeRow & { id: number; level: number };

function makeFolders(): Folder[] {
  const folders: Folder[] = [];
  let parents: { id: number; path: string }[] = [{ id: ROOT_ID, path: '/' }];
  for (const [depth, count] of FOLDER_COUNTS.entries()) {
    const level = range(count).map((index): Folder => {
      const parent = parents[index % parents.length]!;
      const id = FIRST_FOLDER_ID + folders.length + index;
      return { ...node(id, `Folder ${id}`, index, parent), type: 'folder', level: depth + 1 };
    });
    folders.push(...level);
    parents = level;
  }
  return folders;
}

/** 20 media in each folder of level 2, 60 in each of 20 of level 3, the rest in the others of level 3. */
function folderOf(index: number, folders: readonly Folder[]): Folder {
  const [level1, level2, level3] = FOLDER_COUNTS;
  const deep = index - 20 * level2;
  if (deep < 0) return folders[level1 + (index % level2)]!;
  if (deep < 60 * BIG_FOLDER_COUNT) return folders[LEVEL_3_AT + (deep % BIG_FOLDER_COUNT)]!;
  return folders[LEVEL_3_AT + BIG_FOLDER_COUNT + (deep % (level3 - BIG_FOLDER_COUNT))]!;
}

function makeMedia(index: number, count: number, folders: readonly Folder[]): NewNodeRow {
  const id = FIRST_MEDIA_ID + index;
  const parent = folderOf(index, folders);
  const title = index % 5 === 0 ? null : `Résumé "${index}" – Höhe & Breite`;
  // 7,919 is prime: creation times are distinct, and not in the order of the ids.
  const createdAt = STARTED_AT + ((index * 7919) % count) * 1234;
  return {
    ...node(id, title ?? filename(index), index, parent),
    created_at: createdAt,
    updated_at: createdAt,
    type: index % 4 === 3 ? 'doc' : 'image',
    level: parent.level + 1,
    title,
    owner: '7',
    is_public: index % 2,
  };
}

function node(id: number, name: string, order: number, parent: { id: number; path: string }) {
  return {
    id,
    uuid: uuid(`media ${id}`),
    parent_id: parent.id,
    path: `${parent.path}${parent.id}/`,
    sort_order: order,
    name,
    title: null,
    owner: null as string | null,
    is_public: 1,
    created_at: STARTED_AT + id * 1234,
    updated_at: STARTED_AT + id * 1234,
  };
}

function makeFile(index: number): NewFileRow {
  const isImage = index % 4 !== 3;
  return {
    uuid: uuid(`file ${index}`),
    media_id: FIRST_MEDIA_ID + index,
    key: '',
    filename: filename(index),
    extension: isImage ? 'jpg' : 'pdf',
    mime_type: isImage ? 'image/jpeg' : 'application/pdf',
    size_bytes: 10_000 + index * 37,
    md5: md5(`bytes ${index}`),
    width: isImage ? 1920 : null,
    height: isImage ? 1080 : null,
    dir: `d${String(index).padStart(7, '0')}`.replaceAll(
      /[6-9]/g,
      (digit) => 'abcd'[Number(digit) - 6]!,
    ),
    url_name: `${isImage ? 'photo' : 'paper'}-${index}.${isImage ? 'jpg' : 'pdf'}`,
    blob_key: md5(`blob ${index}`),
    created_by: '7',
    created_role: 'editor',
    created_at: STARTED_AT + index * 1234,
    updated_at: STARTED_AT + index * 1234,
  };
}

function makeTag(index: number): NewTagRow {
  return {
    type: 'user',
    name: `tag ${index}`,
    color: '#336699',
    visible: 1,
    active: 1,
    visibility_boost: 0,
    created_at: STARTED_AT,
    updated_at: STARTED_AT,
  };
}

function filename(index: number): string {
  return index % 4 !== 3 ? `photo ${index}.jpg` : `paper ${index}.pdf`;
}

function uuid(name: string): string {
  return md5(name).replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5');
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

function* batches<Row>(rows: readonly Row[]): Generator<Row[]> {
  for (let at = 0; at < rows.length; at += BATCH_ROWS) yield rows.slice(at, at + BATCH_ROWS);
}
