import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Db, openDb } from '../src/store/db.ts';
import { migrate } from '../src/store/migrate.ts';
import type { NewFileRow, NewNodeRow, NewTagRow } from '../src/store/table.ts';

export const MEDIA_COUNT = 10_000;
const TAG_COUNT = 200;
const TAGS_PER_MEDIA = 3;
/** Folders at the levels 1, 2 and 3. */
const FOLDER_COUNTS = [20, 400, 80] as const;
const FOLDER_COUNT = 500;
const ROOT_ID = 1;
const FIRST_FOLDER_ID = 2;
const FIRST_MEDIA_ID = FIRST_FOLDER_ID + FOLDER_COUNT;

const STARTED_AT = Date.UTC(2026, 0, 1);
/** Below SQLite's 32,766 parameters a statement for the widest row. */
const BATCH_ROWS = 500;

/**
 * Makes a data directory with media with their file (10,000), 500 folders, 200 tags and tags of each media
 * (3), in one transaction; the same rows each time. Answers the path of the database.
 */
export async function seed(
  dataDir: string,
  size: SeedSize = { mediaCount: MEDIA_COUNT, tagsPerMedia: TAGS_PER_MEDIA },
): Promise<string> {
  mkdirSync(dataDir, { recursive: true });
  const path = join(dataDir, 'trivium.db');
  const db = openDb({ url: `sqlite:${path}` });
  try {
    await migrate(db);
    await db.transaction().execute((db) => insertAll(db, size));
  } finally {
    await db.destroy();
  }
  return path;
}

/** How much there shall be. */
interface SeedSize {
  mediaCount: number;
  tagsPerMedia: number;
}

async function insertAll(db: Db, { mediaCount, tagsPerMedia }: SeedSize): Promise<void> {
  const folders = makeFolders();
  const medias = range(mediaCount).map((index) => makeMedia(index, folders));
  const mediaTags = range(mediaCount * tagsPerMedia).map((index) => ({
    media_id: FIRST_MEDIA_ID + Math.floor(index / tagsPerMedia),
    // 67 and 200 have no common divisor: the three tags of a media differ, and all tags are used.
    tag_id: 1 + ((index * 67) % TAG_COUNT),
  }));
  for (const batch of batches([...folders, ...medias])) {
    await db.insertInto('media').values(batch).execute();
  }
  for (const batch of batches(range(mediaCount).map(makeFile))) {
    await db.insertInto('file').values(batch).execute();
  }
  await db.insertInto('tag').values(range(TAG_COUNT).map(makeTag)).execute();
  for (const batch of batches(mediaTags)) await db.insertInto('media_tag').values(batch).execute();
}

type Folder = NewNodeRow & { id: number };

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

/** 50 media in each of 200 folders of level 2, as a page shows. */
function makeMedia(index: number, folders: readonly Folder[]): NewNodeRow {
  const id = FIRST_MEDIA_ID + index;
  const parent = folders[FOLDER_COUNTS[0] + (index % 200)]!;
  const title = index % 5 === 0 ? null : `Résumé "${index}" – Höhe & Breite`;
  return {
    ...node(id, title ?? filename(index), Math.floor(index / 200), parent),
    type: index % 4 === 3 ? 'doc' : 'image',
    level: 3,
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
