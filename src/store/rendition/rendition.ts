import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { isAnyOf, lockText } from '../dialect.ts';
import { inline } from '../inline.ts';
import { unlessBusy } from '../limit.ts';
import { prepared } from '../prepared.ts';
import { blobKeysOf } from '../result.ts';
import { kept } from '../sqlite/kept.ts';
import type { NewRenditionRow, RenditionRow } from '../table.ts';

/** Returns the rendition of these bytes with that spec. */
export async function findRendition(
  db: Db,
  sourceBlobKey: string,
  spec: string,
): Promise<Readonly<RenditionRow> | undefined> {
  const [rendition] = await bySource(db, { sourceBlobKey, spec });
  return rendition;
}

interface BySource {
  sourceBlobKey: string;
  spec: string;
}

const bySource = kept(
  prepared<BySource, RenditionRow>({
    isLookup: true,
    keyOf: () => '',
    lookupsOf: () => 1,
    build: (db, _args, slot) =>
      db
        .selectFrom('rendition')
        .where('source_blob_key', '=', slot(sourceBlobKeyOf))
        .where('spec', '=', slot(specOf))
        .selectAll(),
  }),
  ({ sourceBlobKey, spec }) => `${sourceBlobKey} ${spec}`,
);

const sourceBlobKeyOf = ({ sourceBlobKey }: BySource) => sourceBlobKey;
const specOf = ({ spec }: BySource) => spec;

/** Returns the new row; undefined if a rendition of the same bytes and spec exists. */
export function insertRendition(
  db: Db,
  rendition: NewRenditionRow,
): Promise<RenditionRow | undefined> {
  return db
    .insertInto('rendition')
    .values(rendition)
    .onConflict((conflict) => conflict.columns(['source_blob_key', 'spec']).doNothing())
    .returningAll()
    .executeTakeFirst();
}

/**
 * `used_at` of a rendition that stays until its file is replaced or deleted. It is not part of the cache: sums and deletions
 * read the index by `used_at` up to this value only.
 */
const PERMANENT = Number.MAX_SAFE_INTEGER;

/**
 * Inserts renditions that stay until their file is replaced or deleted. A rendition in the cache with the same bytes and
 * spec becomes permanent instead; returns the blob keys that are not needed for that reason.
 */
export async function insertPermanentRenditions(
  db: Db,
  renditions: readonly Omit<NewRenditionRow, 'used_at'>[],
): Promise<string[]> {
  if (renditions.length === 0) return [];
  const rows = await db
    .insertInto('rendition')
    .values(renditions.map((rendition) => ({ ...rendition, used_at: PERMANENT })))
    .onConflict((conflict) =>
      conflict.columns(['source_blob_key', 'spec']).doUpdateSet({ used_at: PERMANENT }),
    )
    .returning('blob_key')
    .execute();
  const stored = new Set(rows.map(({ blob_key }) => blob_key));
  return renditions.map(({ blob_key }) => blob_key).filter((key) => !stored.has(key));
}

/** Moves the permanent renditions of a file into the cache, except those with `keptSpecs`. */
export async function releaseRenditions(
  db: Db,
  fileId: number,
  { now, keptSpecs }: { now: number; keptSpecs: readonly string[] },
): Promise<void> {
  const released = db.updateTable('rendition').set({ used_at: now }).where('file_id', '=', fileId);
  const unwanted = released.where('used_at', '=', PERMANENT);
  await (keptSpecs.length === 0 ? unwanted : unwanted.where('spec', 'not in', keptSpecs)).execute();
}

/** Sets the time of the last use, unless another one has been set since `noted`, or the database is busy. */
export async function updateRenditionUsed(
  db: Db,
  id: number,
  { now, noted }: { now: number; noted: number },
): Promise<void> {
  await unlessBusy(db, (db) =>
    db
      .updateTable('rendition')
      .set({ used_at: now })
      .where('id', '=', id)
      .where('used_at', '<=', noted)
      .execute(),
  );
}

/** Deletes the row of a rendition; its bytes are left to the caller. */
export async function deleteRendition(db: Db, id: number): Promise<void> {
  await db.deleteFrom('rendition').where('id', '=', id).execute();
}

/** Bytes on disk that every rendition takes beside its own: half a block, a name, a row. */
const OVERHEAD = sql.lit(4096);

/** Lets one transaction at a time measure the cache, until it ends. */
export function lockRenditionCache(db: Db): Promise<void> {
  return lockText(db, 'rendition-cache');
}

/** Returns the size of the cache, in bytes. */
export async function sumRenditionBytes(db: Db): Promise<number> {
  const { total } = await db
    .selectFrom('rendition')
    .where('used_at', '<', PERMANENT)
    .select(sql<number | null>`sum(size_bytes + ${OVERHEAD})`.as('total'))
    .executeTakeFirstOrThrow();
  return total ?? 0;
}

/** Deletions at once. Deleting 40,000 in one statement would block others for a fifth of a second. */
const DELETED_MAX = 5000;

/**
 * Deletes the least recently used renditions of the cache until that many bytes are free: at most 5,000, and never the one
 * to keep. Returns their blob keys.
 */
export function deleteLeastUsedRenditions(
  db: Db,
  { neededBytes, keptId }: { neededBytes: number; keptId: number },
): Promise<string[]> {
  return blobKeysOf(
    db
      .with('oldest', (cte) =>
        cte
          .selectFrom('rendition')
          .where('id', '!=', keptId)
          .where('used_at', '<', PERMANENT)
          .orderBy('used_at')
          .orderBy('id')
          .limit(DELETED_MAX)
          .select(['id', 'used_at', sql<number>`size_bytes + ${OVERHEAD}`.as('taken_bytes')]),
      )
      .with('ranked', (cte) =>
        cte
          .selectFrom('oldest')
          .select([
            'id',
            sql<number>`sum(taken_bytes) over (order by used_at, id) - taken_bytes`.as(
              'before_bytes',
            ),
          ]),
      )
      .deleteFrom('rendition')
      .where('id', 'in', (eb) =>
        eb.selectFrom('ranked').where('before_bytes', '<', neededBytes).select('ranked.id'),
      )
      .returning('blob_key'),
  );
}

/** Deletes the renditions of these files. Returns their blob keys. */
export function deleteRenditionsByFileIds(db: Db, fileIds: readonly number[]): Promise<string[]> {
  return blobKeysOf(
    db
      .deleteFrom('rendition')
      .where(isAnyOf(db, 'file_id', fileIds))
      .returning('blob_key'),
  );
}

/** Returns those of the given blob keys that a rendition refers to. */
export function listKnownRenditionBlobKeys(db: Db, keys: readonly string[]): Promise<string[]> {
  return blobKeysOf(
    inline(db, keys.length)
      .selectFrom('rendition')
      .where(isAnyOf(db, 'blob_key', keys))
      .select('blob_key'),
  );
}
