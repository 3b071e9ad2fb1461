import {
  PIECE_BYTES,
  type StagedBytes,
  type StagedChange,
  type StagedRows,
} from '../../blob/s3/staged-rows.ts';
import { StagingConflictError } from '../../blob/staging.ts';
import type { Db } from '../../store/db.ts';
import type { StagedPieceRow, StagedRow } from '../../store/table.ts';
import { inTransaction } from '../../store/transaction.ts';
import * as store from '../../store/upload/staged.ts';

/** Pieces of one statement, which are in memory at once: a megabyte. */
const PIECES_AT_ONCE = 5;

/** Creates the rows of staged bytes in a database. `clock`: milliseconds since 1970. */
export function createStagedRows(db: Db, clock: () => number): StagedRows {
  return {
    async find(key) {
      const row = await store.findStaged(db, key);
      return row === undefined ? null : toStaged(row);
    },
    save: (staged, change) =>
      inTransaction(db, async (db) => {
        const { sizeBytes, state, multipartId } = { ...staged, ...change };
        const version = staged.version + 1;
        const updatedAt = new Date(clock());
        const next = { ...staged, sizeBytes, state, multipartId, version, updatedAt };
        const isSaved =
          staged.version === 0
            ? await store.insertStaged(db, toRow(next))
            : await store.updateStaged(db, toRow(next), staged.version);
        if (!isSaved) throw new StagingConflictError(staged.key);
        await changeBytes(db, staged, change);
        return next;
      }),
    async *read(key, { start, end }) {
      for (let position = start; position <= end; ) {
        const rows = await store.listStagedPieces(db, key, {
          start: position,
          limit: PIECES_AT_ONCE,
        });
        if (rows.length === 0) return;
        for (const { position: first, bytes } of rows) {
          if (first > position) return;
          const piece = bytes.subarray(position - first, end + 1 - first);
          if (piece.length === 0) return;
          yield piece;
          position += piece.length;
        }
      }
    },
    async parts(key) {
      const rows = await store.listStagedParts(db, key);
      return rows.map(({ number, size_bytes, etag }) => ({ number, sizeBytes: size_bytes, etag }));
    },
    remove: (key) => store.deleteStaged(db, key),
    async list(after, limit) {
      return (await store.listStaged(db, after, limit)).map(toStaged);
    },
    async check() {
      await store.listStaged(db, '', 1);
    },
  };
}

async function changeBytes(
  db: Db,
  { key, sizeBytes, version }: StagedBytes,
  { part, cutAt, keptFrom = 0, pieces, dropsParts }: StagedChange,
): Promise<void> {
  const isCut = cutAt !== undefined && cutAt < sizeBytes;
  if (isCut) await store.cutStagedPiece(db, key, { cutAt, pieceBytesMax: PIECE_BYTES });
  if (version > 0 && (isCut || keptFrom > 0)) {
    const from = isCut ? cutAt : Number.MAX_SAFE_INTEGER;
    await store.deleteStagedPieces(db, key, { keptFrom, cutAt: from });
  }
  if (dropsParts) await store.deleteStagedParts(db, key);
  if (part !== undefined) {
    const { number, sizeBytes: size_bytes, etag } = part;
    await store.putStagedPart(db, { blob_key: key, number, size_bytes, etag });
  }
  if (pieces === undefined) return;
  let position = pieces.offsetBytes;
  let rows: StagedPieceRow[] = [];
  for await (const bytes of pieces.source) {
    rows.push({ blob_key: key, position, bytes: bufferOf(bytes) });
    position += bytes.length;
    if (rows.length < PIECES_AT_ONCE) continue;
    await store.insertStagedPieces(db, rows);
    rows = [];
  }
  await store.insertStagedPieces(db, rows);
}

/** Returns the same memory as a buffer, which the driver of PostgreSQL wants. */
function bufferOf({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, length);
}

function toStaged(row: StagedRow): StagedBytes {
  return {
    key: row.blob_key,
    sizeBytes: row.size_bytes,
    partBytes: row.part_bytes,
    state: row.state,
    multipartId: row.multipart_id,
    version: row.version,
    updatedAt: new Date(row.updated_at),
  };
}

function toRow(staged: StagedBytes): StagedRow {
  return {
    blob_key: staged.key,
    size_bytes: staged.sizeBytes,
    part_bytes: staged.partBytes,
    state: staged.state,
    multipart_id: staged.multipartId,
    version: staged.version,
    updated_at: staged.updatedAt.getTime(),
  };
}
