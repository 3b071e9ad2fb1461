import { randomUUID } from 'node:crypto';
import type { BlobStore } from '../../blob/blob-store.ts';
import type { Staging } from '../../blob/staging.ts';
import { MIGRATIONS } from '../../store/migration.ts';
import { dropTriggers, withTablesLocked } from '../../store/relocation/capture.ts';
import type { MoveConnection, MovedTable } from '../../store/relocation/connection.ts';
import { deleteMark, endReadOnly, insertMark, readMark } from '../../store/relocation/mark.ts';
import { findTarget, prepareTarget, type TargetMark } from '../../store/relocation/target.ts';
import type { LibraryMoveRow } from '../../store/table.ts';
import { MoveError } from './error.ts';

/** A database of a move. */
export interface DatabasePlace {
  url: string;
  /** The URL without a password. */
  name: string;
}

/** A storage of a move. */
export interface StoragePlace {
  /** Its URL. */
  name: string;
  blobs: BlobStore;
}

/** The staging area of a server. */
export interface StagingPlace {
  /** The directory, or the URL of the database that has the rows of staged bytes. */
  name: string;
  staging: Staging;
  close(): Promise<void>;
}

/** What moves, and where to. Null: this part of the library stays where it is. */
export interface MovePlan {
  from: { database: DatabasePlace; storage: StoragePlace | null };
  to: { database: DatabasePlace | null; storage: StoragePlace | null };
  /** Null: both sides have one staging area, or only its rows move, with the others. */
  staging: { from: StagingPlace; to: StagingPlace } | null;
}

/** Tells whether the rows of staged bytes move with the others, because the bucket of both sides is the same. */
export function movesStagedRows({ from, to }: MovePlan): boolean {
  const isPostgres = (url: string | undefined) => url !== undefined && !url.startsWith('sqlite:');
  return to.storage === null && isPostgres(from.database.url) && isPostgres(to.database?.url);
}

/**
 * Marks the source and the target of a new move, or finds the marks of the same move. Returns them; the target has none if
 * no rows move, or if the move has ended. Throws MoveError, and changes nothing, if the target is not empty, or if
 * another move has begun.
 */
export async function beginMove(
  marks: MoveConnection,
  plan: MovePlan,
): Promise<{ source: LibraryMoveRow; target: TargetMark | null }> {
  await requireCurrent(marks, plan);
  const found = await readMark(marks);
  if (found !== undefined) requireSame(found, plan);
  else await requireEmpty(plan);
  const { database } = plan.to;
  if (found?.state === 'moved') {
    const target = database && (await findTarget(database.url));
    return { source: found, target: target?.move_id === found.move_id ? target : null };
  }
  const values = found ?? newMark(plan);
  if (found === undefined) await insertMark(marks, values, 'copying');
  await endReadOnly(marks);
  const target = database && (await prepareTarget(database.url, values));
  const source = await readMark(marks);
  if (source === undefined) throw new Error('The mark of the move is gone.');
  if (database === null || target?.move_id === source.move_id) return { source, target };
  if (found === undefined) await deleteMark(marks);
  throw new MoveError(
    `${database?.name} is not empty: a move needs a database without tables, or that of the same unfinished move.`,
  );
}

function newMark({ from, to }: MovePlan) {
  return {
    move_id: randomUUID(),
    from_database: from.database.name,
    to_database: to.database?.name ?? null,
    from_storage: from.storage?.name ?? null,
    to_storage: to.storage?.name ?? null,
  };
}

/** Throws MoveError unless a database has the tables of this program. */
async function requireCurrent(marks: MoveConnection, { from }: MovePlan): Promise<void> {
  const rows = await marks.run<{ name: string }>('select name from migration').catch(() => []);
  const applied = new Set(rows.map(({ name }) => name));
  const names = Object.keys(MIGRATIONS);
  if (applied.size === names.length && names.every((name) => applied.has(name))) return;
  throw new MoveError(
    applied.size === 0
      ? `${from.database.name} holds no library.`
      : `${from.database.name} has the tables of another version: start the server of this version with it first.`,
  );
}

function requireSame(found: LibraryMoveRow, plan: MovePlan): void {
  if (found.state === 'filling' || found.state === 'filled')
    throw new MoveError(
      `${plan.from.database.name} is itself the target of an unfinished move from ${found.from_database}.`,
    );
  const wanted = newMark(plan);
  const isSame = (['from_database', 'to_database', 'from_storage', 'to_storage'] as const).every(
    (name) => found[name] === wanted[name],
  );
  if (isSame) return;
  const how = found.state === 'moved' ? 'has been moved' : 'is being moved';
  throw new MoveError(
    `The library ${how} to ${placesOf(found)}: run the same command again, or give it up with --${
      found.state === 'moved' ? 'release' : 'abort'
    }.`,
  );
}

/** Returns the places that a library moves to, for people. */
export function placesOf({
  to_database,
  to_storage,
}: Pick<LibraryMoveRow, 'to_database' | 'to_storage'>): string {
  return [to_database, to_storage].filter((place) => place !== null).join(' and ');
}

async function requireEmpty({ to, staging }: MovePlan): Promise<void> {
  const { storage } = to;
  if (storage === null) return;
  // The tables of a new database do not exist yet.
  const hasOwnStaging = staging?.to.staging.isLocal && staging.to.name !== staging.from.name;
  const listings = [storage.blobs.list(), ...(hasOwnStaging ? [staging.to.staging.list()] : [])];
  for (const listing of listings) {
    for await (const { key } of listing) {
      throw new MoveError(
        `${storage.name} is not empty (it holds ${key}): a move needs empty storage.`,
      );
    }
  }
}

/**
 * Gives a move up: `unfinished` one that has not ended, `finished` one that has, whose source is read-only since. The
 * source is writable afterwards and has no trace of the move; the target stays as it is. Throws MoveError if there is
 * none.
 */
export async function endMove(
  marks: MoveConnection,
  tables: readonly MovedTable[],
  wanted: 'unfinished' | 'finished',
): Promise<LibraryMoveRow> {
  const mark = await readMark(marks);
  const isFinished = mark?.state === 'moved';
  if (mark === undefined || isFinished !== (wanted === 'finished'))
    throw new MoveError(`There is no ${wanted} move from this database.`);
  if (mark.state === 'filling' || mark.state === 'filled')
    throw new MoveError('This database is the target of the move. Name its source.');
  await withTablesLocked(marks, tables, 'access exclusive', async () => {
    await dropTriggers(marks);
    await deleteMark(marks);
  });
  return mark;
}
