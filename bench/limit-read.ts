import SqliteDatabase from 'better-sqlite3';

interface MediaRow {
  id: number;
  name: string;
  created_at: number;
  folder: string;
  path: string;
  mime_type: string | null;
  width: number | null;
  height: number | null;
  dir: string;
  url_name: string;
}

const MEDIA = `select media.id, media.name, media.created_at, media.path, folder.name as folder,
  file.mime_type, file.width, file.height, file.dir, file.url_name
  from media join media folder on folder.id = media.parent_id
  left join file on file.media_id = media.id and file.key = ''`;

/** The reads by hand: a fixed number of prepared statements each. */
export function openReads(path: string, publicUrl: string) {
  const database = new SqliteDatabase(path, { readonly: true });
  const page = database.prepare<[number], MediaRow>(
    `${MEDIA} where media.parent_id = ? and media.type != 'folder'
     order by media.created_at desc, media.id desc limit 50`,
  );
  const one = database.prepare<[number], MediaRow>(`${MEDIA} where media.id = ?`);
  const names = database.prepare<[string], { id: number; name: string }>(
    'select id, name from media where id in (select value from json_each(?))',
  );
  const tags = database.prepare<[string], { media_id: number; name: string }>(
    `select media_tag.media_id, tag.name from media_tag join tag on tag.id = media_tag.tag_id
     where media_tag.media_id in (select value from json_each(?)) order by tag.name_sort, tag.id`,
  );
  const folders = database.prepare<[string], { id: number; parent_id: number; name: string }>(
    `select media.id, media.parent_id, media.name from json_each(?) part join media on media.id in (
       select id from media where parent_id = part.value and type = 'folder'
       order by sort_order, id limit 20)
     order by media.sort_order, media.id`,
  );
  const medias = database.prepare<[string], { id: number; parent_id: number }>(
    `select media.id, media.parent_id from json_each(?) part join media on media.id in (
       select id from media where parent_id = part.value and type != 'folder'
       order by sort_order, id limit 5)
     order by media.sort_order, media.id`,
  );

  function tagsOf(ids: readonly number[]) {
    return Map.groupBy(tags.all(JSON.stringify(ids)), (tag) => tag.media_id);
  }
  function toFile({ mime_type, width, height, dir, url_name }: MediaRow) {
    if (mime_type === null) return null;
    return { mimeType: mime_type, url: `${publicUrl}/media/${dir}/${url_name}`, width, height };
  }
  const toName = ({ name }: { name: string }) => ({ name });
  const common = (row: MediaRow) => ({
    databaseId: row.id,
    name: row.name,
    file: toFile(row),
    createdAt: new Date(row.created_at).toISOString(),
  });

  return {
    /** R1: media of a folder, newest first. */
    mediasOfFolder(folderId: number) {
      const rows = page.all(folderId);
      const byMedia = tagsOf(rows.map(({ id }) => id));
      return rows.map((row) => ({
        ...common(row),
        folder: { name: row.folder },
        tags: (byMedia.get(row.id) ?? []).map(toName),
      }));
    },
    /** R2: one media item. */
    media(id: number) {
      const row = one.get(id);
      if (row === undefined) return null;
      const ancestorIds = row.path.split('/').slice(2, -1).map(Number);
      const ancestors = new Map(names.all(JSON.stringify(ancestorIds)).map((one) => [one.id, one]));
      return {
        ...common(row),
        ancestors: ancestorIds.map((id) => ({ name: ancestors.get(id)?.name })),
        tags: (tagsOf([id]).get(id) ?? []).map(toName),
      };
    },
    /** R3: the first 20 folders, their first 20 folders, and the first 5 media of those. */
    tree() {
      const top = folders.all('[1]');
      const middle = folders.all(JSON.stringify(top.map(({ id }) => id)));
      const leaves = medias.all(JSON.stringify(middle.map(({ id }) => id)));
      const mediasByFolder = Map.groupBy(leaves, (leaf) => leaf.parent_id);
      const foldersByFolder = Map.groupBy(middle, (folder) => folder.parent_id);
      const toMedia = ({ id }: { id: number }) => ({ databaseId: id });
      return top.map(({ id, name }) => ({
        name,
        folders: {
          nodes: (foldersByFolder.get(id) ?? []).map((folder) => ({
            name: folder.name,
            medias: { nodes: (mediasByFolder.get(folder.id) ?? []).map(toMedia) },
          })),
        },
      }));
    },
  };
}

/** W1 by hand: one durable statement. */
export function createTagWriter(path: string) {
  const database = new SqliteDatabase(path);
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  const insert = database.prepare<[string, number, number], { id: number }>(
    `insert into tag (type, name, color, visible, active, visibility_boost, created_at, updated_at)
     values ('user', ?, '#336699', 1, 1, 0, ?, ?) returning id`,
  );
  return (name: string) => {
    const now = Date.now();
    return { databaseId: insert.get(name, now, now)?.id, name };
  };
}
