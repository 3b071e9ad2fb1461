import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BlobStore } from '../../src/blob/blob-store.ts';
import { newBlobKey } from '../../src/domain/file/blob-key.ts';
import { openDb } from '../../src/store/db.ts';
import type { FileRow } from '../../src/store/table.ts';
import { createTestServices, type TestServices } from './app.ts';
import type { Backend } from './backend.ts';
import { md5Of } from './bytes.ts';
import { makeFileRow, makeMediaRow } from './make.ts';
import { withStorage } from './storage.ts';

/** A database that other connections can open, with blobs and a directory beside them. */
export interface Library {
  databaseUrl: string;
  directory: string;
  stored: BlobStore;
  services: TestServices;
  /** Stores a text as a media item of its own. */
  add(text: string): Promise<FileRow>;
}

/** Runs `work` with an empty library, then deletes it. */
export function withLibrary<T>(
  backend: Backend,
  work: (library: Library) => Promise<T>,
): Promise<T> {
  return backend.withUrl(async (databaseUrl) => {
    const directory = await mkdtemp(join(tmpdir(), 'trivium-library-'));
    const db = openDb({ url: databaseUrl });
    try {
      return await withStorage({ db, directory }, ({ stored, blobs, staging }) => {
        const parts = { db, blobs, staging, blobDir: directory, statements: [] };
        const services = createTestServices(parts);
        const add = (text: string) => addText(services, text);
        return work({ databaseUrl, directory, stored, services, add });
      });
    } finally {
      await db.destroy();
      await rm(directory, { recursive: true });
    }
  });
}

async function addText({ db, blobs }: TestServices, text: string): Promise<FileRow> {
  const bytes = Buffer.from(text);
  const blobKey = newBlobKey();
  await blobs.put(blobKey, bytes.length, [bytes]);
  const columns = { blob_key: blobKey, size_bytes: bytes.length, md5: md5Of(bytes) };
  return makeFileRow(db, await makeMediaRow(db, { type: 'file' }), columns);
}
