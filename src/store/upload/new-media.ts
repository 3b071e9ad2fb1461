import type { QueryResult } from 'kysely';
import { withSortKey } from '../columns.ts';
import type { Db } from '../db.ts';
import { insertedId } from '../dialect.ts';
import { fileInsertion, type NewMediaFileRow } from '../file/file.ts';
import { jobInsertion, type NewMediaJobRow } from '../job/job.ts';
import { onlyRow } from '../result.ts';
import type { NewNodeRow, NodeRow } from '../table.ts';
import { runTogether } from '../transaction.ts';
import { newMetadataInsertions } from '../tree/metadata.ts';
import { nodeInsertion } from '../tree/node.ts';
import { wordsInsertion, wordsOf } from '../tree/words.ts';
import { type NewRowEntry, newMediaAuditInsertion } from '../viewer/audit.ts';

/** A new media item with its first file, and the jobs of that file. */
export interface NewMediaRows {
  media: NewNodeRow;
  file: NewMediaFileRow;
  jobs: readonly NewMediaJobRow[];
  /** The entry about it; null: none. */
  entry: NewRowEntry | null;
}

/**
 * Inserts a media item with its file and its jobs, inside a transaction. Returns the row of the media item and the ids
 * of the jobs. On SQLite this takes one message to the thread that writes. A `resource` that exists already is a unique
 * violation.
 */
export async function insertNewMedia(
  db: Db,
  { media, file, jobs, entry }: NewMediaRows,
): Promise<{ media: NodeRow; jobIds: number[] }> {
  const insertions = jobs.map((job) => jobInsertion.compile(db, job));
  const { uuid: media_uuid } = media;
  const entries = entry ? [newMediaAuditInsertion.compile(db, { ...entry, media_uuid })] : [];
  const words = { media_uuid, ...wordsOf(media) };
  const [inserted, , , ...insertedJobs] = await runTogether(db, [
    nodeInsertion.compile(db, withSortKey(media)),
    wordsInsertion.compile(db, words),
    fileInsertion.compile(db, file),
    ...insertions,
    ...entries,
    ...newMetadataInsertions(db, media),
  ]);
  const ofJobs = insertedJobs.slice(0, jobs.length) as QueryResult<{ id: number }>[];
  const jobIds = ofJobs.map(insertedId);
  return { media: onlyRow(inserted.rows), jobIds };
}
