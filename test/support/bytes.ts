import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { TestServices } from './app.ts';
import { fixture } from './temporary-file.ts';

/** Returns the content of a file in `fixture/`. */
export function fixtureBytes(name: string): Buffer {
  return readFileSync(fixture(name));
}

/** A small image, and its digest. */
export const PNG = fixtureBytes('picture.png');
export const PNG_MD5 = md5Of(PNG);

/** Yields the bytes in small pieces, as a request body does. */
export async function* inPieces(bytes: Uint8Array, pieceBytes = 7): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    yield bytes.subarray(at, at + pieceBytes);
  }
}

/** Yields the bytes and then throws, as a request body does whose client disconnects. */
export async function* brokenOff(bytes: Uint8Array, error: Error): AsyncGenerator<Uint8Array> {
  yield* inPieces(bytes);
  throw error;
}

/** Returns the MD5 of the bytes in lower-case hex. */
export function md5Of(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}

/** Counts of everything that an upload can leave behind. */
export interface Leftovers {
  medias: number;
  files: number;
  /** Offsets of the open upload sessions. */
  openAt: number[];
  staged: number;
  stored: number;
}

/** The counts of an empty database and an empty blob store. */
export const NOTHING: Leftovers = { medias: 0, files: 0, openAt: [], staged: 0, stored: 0 };

/** Counts the rows in the database and the blobs in the store. Folders are not counted. */
export async function leftovers({ db, blobs, staging }: TestServices): Promise<Leftovers> {
  const medias = await db.selectFrom('media').where('type', '!=', 'folder').select('id').execute();
  const files = await db.selectFrom('file').select('id').execute();
  const uploads = await db.selectFrom('upload').where('status', '=', 'open').selectAll().execute();
  return {
    medias: medias.length,
    files: files.length,
    openAt: uploads.map((row) => row.offset_bytes),
    staged: (await Array.fromAsync(staging.list())).length,
    stored: (await Array.fromAsync(blobs.list())).length,
  };
}
