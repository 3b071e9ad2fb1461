import type { Log } from '../../domain/context.ts';
import type { Db } from '../../store/db.ts';
import { findMove } from '../../store/relocation/mark.ts';
import { StartError } from '../start-error.ts';

/**
 * Tells whether the library has been moved to another place, so that servers can only read it, and logs that. Throws
 * StartError if the database is the target of a move that has not ended.
 */
export async function checkMove(db: Db, log: Log): Promise<boolean> {
  const move = await findMove(db);
  if (move === undefined) return false;
  const { state, from_database: from, to_database, to_storage } = move;
  if (state === 'filling' || state === 'filled')
    throw new StartError(
      `This database is the target of a move from ${from} that has not ended: run the same \`trivium move\` command again. ` +
        'To give it up, run `trivium move --abort` for the source, and delete this database.',
    );
  if (state !== 'moved') return false;
  log.warn(
    { database: to_database, storage: to_storage },
    'the library has been moved: this server can only read it, and runs no jobs; `trivium move --release` makes it writable',
  );
  return true;
}
