import { buffer } from 'node:stream/consumers';
import type { Difference } from '../../../src/domain/fsck/difference.ts';
import { checkLibrary, type FsckOptions } from '../../../src/domain/fsck/fsck.ts';
import { uploadFile } from '../../../src/domain/upload/upload-file.ts';
import type { FileRow } from '../../../src/store/table.ts';
import { type TestServices, user } from '../../support/app.ts';
import { inPieces } from '../../support/bytes.ts';

/** A file with its bytes, as it is stored. */
export type StoredFile = Pick<FileRow, 'id' | 'uuid' | 'media_id' | 'blob_key' | 'size_bytes'>;

/** Stores a file of Alice's. Returns the row of the original. */
export async function storeFile(
  services: TestServices,
  bytes: Buffer,
  filename = 'data.bin',
): Promise<StoredFile> {
  const { id } = await uploadFile(services.as(user()), {
    filename,
    bytes: inPieces(bytes, 65_536),
  });
  const query = services.db.selectFrom('file').where('media_id', '=', id).where('key', '=', '');
  return query
    .select(['id', 'uuid', 'media_id', 'blob_key', 'size_bytes'])
    .executeTakeFirstOrThrow();
}

/** Returns all differences of the library. Bytes count as old at once. */
export function differencesOf(
  services: TestServices,
  options: FsckOptions = {},
): Promise<Difference[]> {
  return Array.fromAsync(
    checkLibrary(services.as(), { graceMs: -60_000, settleMs: 1, ...options }),
  );
}

/** Changes one byte of a stored blob. */
export async function corrupt({ blobs }: Pick<TestServices, 'blobs'>, key: string): Promise<void> {
  const bytes = await buffer(await blobs.read(key));
  const middle = bytes.length >> 1;
  bytes[middle] = bytes[middle]! ^ 1;
  await blobs.delete(key);
  await blobs.put(key, bytes.length, [bytes]);
}
