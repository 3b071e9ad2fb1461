import { randomUUID } from 'node:crypto';
import type { Db } from '../../src/store/db.ts';
import type { NewNodeRow } from '../../src/store/table.ts';
import { writeWords } from '../../src/store/tree/words.ts';
import { makeFolder } from './make.ts';

/** A folder with many media, each with a file, in ten folders below it. */
export interface Branch {
  id: number;
  folderIds: number[];
  mediaIds: number[];
  /** The URL path of the first media item's file. */
  urlPath: { dir: string; name: string };
}

const NOW = Date.UTC(2026, 0, 1);
/** Rows of one statement: SQLite allows 32,766 parameters. */
const ROWS = 500;

/** Inserts a branch of `count` media without bytes. */
export async function makeBranch(
  db: Db,
  count: number,
  columns: Partial<NewNodeRow> = {},
): Promise<Branch> {
  const id = await makeFolder(db, { name: 'Top', ...columns });
  const folderIds: number[] = [];
  for (let index = 0; index < 10; index++) {
    const place = { parent_id: id, level: 2, path: `/1/${id}/` };
    folderIds.push(await makeFolder(db, { name: `Folder ${index}`, ...place, ...columns }));
  }
  const mediaIds: number[] = [];
  for (let from = 0; from < count; from += ROWS) {
    const nodes = Array.from({ length: Math.min(ROWS, count - from) }, (_, index) => {
      const parent_id = folderIds[(from + index) % 10]!;
      return toMediaRow(parent_id, `/1/${id}/${parent_id}/`, columns);
    });
    const rows = await db.insertInto('media').values(nodes).returningAll().execute();
    await writeWords(db, rows);
    mediaIds.push(...rows.map((row) => row.id));
  }
  await insertFiles(db, mediaIds);
  return { id, folderIds, mediaIds, urlPath: { dir: dirOf(mediaIds[0] ?? 0), name: 'a.png' } };
}

/** Puts a tag on media. */
export async function tagAll(db: Db, tagId: number, mediaIds: readonly number[]): Promise<void> {
  for (let from = 0; from < mediaIds.length; from += ROWS) {
    const links = mediaIds.slice(from, from + ROWS);
    await db
      .insertInto('media_tag')
      .values(links.map((media_id) => ({ media_id, tag_id: tagId })))
      .execute();
  }
}

function toMediaRow(parent_id: number, path: string, columns: Partial<NewNodeRow>): NewNodeRow {
  const uuid = randomUUID();
  return {
    uuid,
    resource: uuid,
    type: 'image',
    parent_id,
    path,
    level: 3,
    sort_order: 0,
    name: 'needle',
    is_public: 1,
    created_at: NOW,
    updated_at: NOW,
    ...columns,
  };
}

async function insertFiles(db: Db, mediaIds: readonly number[]): Promise<void> {
  for (let from = 0; from < mediaIds.length; from += ROWS) {
    const rows = mediaIds.slice(from, from + ROWS).map((media_id) => ({
      uuid: randomUUID(),
      media_id,
      key: '',
      filename: 'a.png',
      extension: 'png',
      mime_type: 'image/png',
      size_bytes: 1,
      md5: '0'.repeat(32),
      dir: dirOf(media_id),
      url_name: 'a.png',
      blob_key: randomUUID().replaceAll('-', ''),
      created_by: null,
      created_role: null,
      created_at: NOW,
      updated_at: NOW,
    }));
    await db.insertInto('file').values(rows).execute();
  }
}

function dirOf(mediaId: number): string {
  return mediaId.toString(6).padStart(8, 'a');
}
