/**
 * The floor of this kind of server: `node:http`, one prepared statement, `JSON.stringify`. It knows one
 * answer, checks no credential, logs nothing.
 *
 * Usage: node limit-server.ts <database> <base of links> <extensions of the answer, JSON>
 */
import { createServer } from 'node:http';
import { crc32 } from 'node:zlib';
import SqliteDatabase from 'better-sqlite3';

const [path = '', publicUrl = '', extensionsJson = ''] = process.argv.slice(2);
const extensions: unknown = extensionsJson === '' ? undefined : JSON.parse(extensionsJson);
const database = new SqliteDatabase(path, { readonly: true });

interface Row {
  id: number;
  uuid: string;
  name: string;
  type: 'image' | 'doc';
  title: string | null;
  created_at: number;
  url: string | null;
  filename: string | null;
  mime_type: string;
  size_bytes: number;
  md5: string;
  width: number | null;
  height: number | null;
  dir: string;
  url_name: string;
}

const page = database.prepare<[number], Row>(`
  select media.id, media.uuid, media.name, media.type, media.title, media.created_at, media.url,
    file.filename, file.mime_type, file.size_bytes, file.md5, file.width, file.height, file.dir, file.url_name
  from media left join file on file.media_id = media.id and file.key = ''
  where media.type != 'folder' order by media.id desc limit ?`);

/** Part of each cursor of this list. */
const LIST_NAME = 'media by id, last first';

const TYPE_NAMES = { image: 'IMAGE', doc: 'DOCUMENT' } as const;

function medias(first: number): string {
  const rows = page.all(first + 1);
  const hasNextPage = rows.length > first;
  if (hasNextPage) rows.pop();
  const last = rows.at(-1);
  const endCursor = last === undefined ? null : toCursor(last.id);
  const pageInfo = { hasNextPage, endCursor };
  return JSON.stringify({ data: { medias: { nodes: rows.map(toNode), pageInfo } }, extensions });
}

function toNode(row: Row) {
  const file = row.filename === null ? null : toFile(row);
  return {
    id: base64url(`Media:${row.id}`),
    databaseId: row.id,
    uuid: row.uuid,
    name: row.name,
    type: TYPE_NAMES[row.type],
    title: row.title,
    createdAt: new Date(row.created_at).toISOString(),
    file,
  };
}

function toFile(row: Row) {
  return {
    filename: row.filename,
    mimeType: row.mime_type,
    sizeBytes: row.size_bytes,
    md5: row.md5,
    width: row.width,
    height: row.height,
    url: `${publicUrl}/media/${row.dir}/${row.url_name}`,
  };
}

function toCursor(id: number): string {
  const text = JSON.stringify([LIST_NAME, id]);
  return base64url(crc32(text).toString(16).padStart(8, '0') + text);
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}

const server = createServer((request, response) => {
  const first = /^\/medias\?first=(\d+)$/.exec(request.url ?? '')?.[1];
  if (first === undefined) {
    response.writeHead(404).end();
    return;
  }
  const body = medias(Number(first));
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  };
  response.writeHead(200, headers).end(body);
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}` }));
});
