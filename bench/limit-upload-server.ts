/**
 * The floor of uploads and downloads: bare `node:http` to and from disk, no multipart, no credential, no check of
 * the content. Usage: node limit-upload-server.ts <directory>
 *
 * `POST /<variant>/<id>?offset=<n>[&last]` appends the body, `GET /<id>` is a bare pipe, `DELETE /`
 * removes all. Bodies are written with `writeSync` as they arrive: through `createWriteStream` 256 MiB
 * took a quarter longer.
 */
import { createHash, type Hash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  fdatasync,
  openSync,
  readdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import SqliteDatabase from 'better-sqlite3';
import { listen } from './listen.ts';

const [directory = ''] = process.argv.slice(2);
const syncData = promisify(fdatasync);

/** Work of a variant besides writing the bytes. */
const VARIANTS = {
  bytes: { save: null, isDurable: false },
  /** MD5 of the file, a row for each request; a power cut loses what the kernel has not yet written. */
  row: { save: openRows('normal'), isDurable: false },
  /** The same, and bytes and row are on the disk before the answer is sent. */
  durable: { save: openRows('full'), isDurable: true },
} as const;

interface Upload {
  fd: number;
  offsetBytes: number;
  md5: Hash | null;
}

const uploads = new Map<string, Upload>();

function openRows(synchronous: 'normal' | 'full') {
  const database = new SqliteDatabase(join(directory, `${synchronous}.db`));
  database.pragma('journal_mode = WAL');
  database.pragma(`synchronous = ${synchronous}`);
  database.exec('create table upload (id text primary key, offset_bytes integer, md5 text)');
  return database.prepare<[string, number, string | null]>(
    'insert or replace into upload (id, offset_bytes, md5) values (?, ?, ?)',
  );
}

async function append(request: IncomingMessage, response: ServerResponse, target: URL) {
  const [, name = '', id = ''] = target.pathname.split('/');
  const { save, isDurable } = VARIANTS[name as keyof typeof VARIANTS];
  const upload = uploads.get(id) ?? start(id, save !== null);
  await take(request, upload);
  const isLast = target.searchParams.has('last');
  const md5 = isLast ? (upload.md5?.digest('hex') ?? null) : null;
  if (isDurable) await syncData(upload.fd);
  // After the bytes: a row must not promise what the disk may lose.
  save?.run(id, upload.offsetBytes, md5);
  if (isLast) {
    closeSync(upload.fd);
    uploads.delete(id);
  }
  answer(response, 201, { offset: upload.offsetBytes, md5 });
}

function start(id: string, isHashed: boolean): Upload {
  const md5 = isHashed ? createHash('md5') : null;
  const upload = { fd: openSync(join(directory, id), 'w'), offsetBytes: 0, md5 };
  uploads.set(id, upload);
  return upload;
}

function take(request: IncomingMessage, upload: Upload): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  request.on('data', (bytes: Buffer) => {
    upload.md5?.update(bytes);
    upload.offsetBytes += writeSync(upload.fd, bytes);
  });
  request.on('end', resolve);
  request.on('error', reject);
  return promise;
}

async function give(response: ServerResponse, target: URL) {
  const path = join(directory, target.pathname.slice(1));
  const { size } = await stat(path);
  response.writeHead(200, { 'content-length': size });
  createReadStream(path).pipe(response);
}

function removeAll(response: ServerResponse) {
  for (const name of readdirSync(directory)) {
    if (!name.includes('.db')) rmSync(join(directory, name));
  }
  answer(response, 200, {});
}

function answer(response: ServerResponse, status: number, body: object) {
  const text = JSON.stringify(body);
  const headers = { 'content-type': 'application/json', 'content-length': text.length };
  response.writeHead(status, headers).end(text);
}

const server = createServer((request, response) => {
  const target = new URL(request.url ?? '/', 'http://localhost');
  if (request.method === 'POST') void append(request, response, target);
  else if (request.method === 'DELETE') removeAll(response);
  else void give(response, target);
});

listen(server);
