import { availableParallelism } from 'node:os';
import {
  type Connection,
  openConnection,
  type Statement,
  type StatementResult,
} from './connection.ts';
import { type Asker, type ConnectionUse, createReaderPool } from './pool.ts';
import { createReplacing, startReaderProcess, startWriterThread } from './remote.ts';
import { Performer, type Runner } from './work.ts';
import { createWriter, UNLIMITED, type WriteGate, type Writer } from './writer.ts';

/** The connections to one database. */
export interface Channels {
  writer: Writer;
  /** Runs a read of any length. Throws DatabaseUnavailableError. */
  read(statement: Statement, asker: ReadAsker): Promise<StatementResult>;
  /** Runs a read on this thread; null if the database has only one connection. */
  readInline: ((statement: Statement) => StatementResult) | null;
  /** Returns another number after each commit of any other connection; null if there is only one connection. */
  dataVersion: (() => number) | null;
  /** The readers; null if there is only one connection. */
  use(): ConnectionUse | null;
  end(): Promise<void>;
}

/** Who waits for a read: see `Asker`. Only a read that needs a signal calls `getSignal`. */
interface ReadAsker extends Omit<Asker, 'signal'> {
  getSignal?: (() => AbortSignal) | undefined;
}

/** Maximum wait for a transaction of another process. */
const BUSY_MS = 5000;

/** Maximum wait on this thread, where only the start or end of another process blocks a read. */
const INLINE_BUSY_MS = 100;

/**
 * Opens a file: one thread writes, a few processes read, and this thread reads too. The file is created if it does not
 * exist.
 */
export function openFileChannels(
  path: string,
  {
    limitMs,
    workers = 1,
    writeGate,
  }: { limitMs: number; workers?: number; writeGate?: WriteGate | undefined },
): Channels {
  const inline = openConnection(path, { access: 'query', busyTimeoutMs: INLINE_BUSY_MS });
  const runner = createReplacing(() => startWriterThread(path));
  const writer = createWriter(runner, { limitMs, busyMs: BUSY_MS }, writeGate);
  // All workers together have as many as one process would, but one each.
  const readersMax = Math.max(1, Math.floor(Math.min(4, availableParallelism() - 1) / workers));
  const pool = createReaderPool({ start: () => startReaderProcess(path), readersMax, limitMs });
  return {
    writer,
    read: (statement, { getSignal, owner }) =>
      pool.run(statement, { signal: getSignal?.(), owner }),
    readInline: (statement) => inline.run(statement),
    dataVersion: () => inline.dataVersion(),
    use: () => pool.use(),
    async end() {
      await Promise.all([pool.end(), writer.end()]);
      inline.close();
    },
  };
}

/** Opens a database in memory, or a copy of a serialized one. It has one connection, on this thread. */
export function openMemoryChannels(source: string | Buffer): Channels {
  const connection = openConnection(source, { access: 'write', busyTimeoutMs: 0 });
  const writer = createWriter(createLocal(connection), UNLIMITED);
  return {
    writer,
    // Takes turns with transactions: otherwise it would see their uncommitted changes.
    read: (statement) => writer.run(statement),
    readInline: null,
    dataVersion: null,
    use: () => null,
    end: () => writer.end(),
  };
}

function createLocal(connection: Connection): Runner {
  const performer = new Performer(connection);
  return {
    run: async (work) => performer.perform(work),
    end: async () => connection.close(),
  };
}
