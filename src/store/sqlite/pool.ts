import { DatabaseUnavailableError } from '../error.ts';
import type { Statement, StatementResult } from './connection.ts';
import type { Remote } from './remote.ts';
import { createWaitingRoom } from './waiting-room.ts';
import { onlyResult } from './work.ts';

/** Processes that read, each one statement at a time. */
export interface ReaderPool {
  /**
   * Runs a statement. Throws DatabaseUnavailableError if it, or its wait for a reader, takes longer than the limit, or
   * when the signal aborts. The statement has then been stopped, or will be at once. Owners take turns.
   */
  run(statement: Statement, asker?: Asker): Promise<StatementResult>;
  use(): ConnectionUse;
  /** Ends all readers, and waits for their processes. Running statements fail. */
  end(): Promise<void>;
}

/** Who waits for a result. */
export interface Asker {
  /** Aborts when nobody waits any more. Statements with the same signal belong to one request. */
  signal?: AbortSignal | undefined;
  /** A viewer or an address. Undefined for the server itself. */
  owner?: string | undefined;
}

/** The connections of a pool. */
export interface ConnectionUse {
  inUse: number;
  idle: number;
  /** Requests that wait for a connection. */
  waiting: number;
}

/** Options of a pool. */
export interface ReaderPoolOptions {
  start: () => Remote;
  /** Maximum number of readers. The first statement that finds none idle starts one. */
  readersMax: number;
  /** Maximum duration of a statement, and of its wait before. */
  limitMs: number;
  /** Time after which an idle reader ends, which gives its memory back. (Default: 30,000) */
  idleMs?: number;
  /**
   * Time that a cancelled statement may still run before its reader is killed. Most statements end by themselves, and a
   * new reader takes 50 ms to start. (Default: 100)
   */
  cancelGraceMs?: number;
}

const IDLE_MS = 30_000;

const CANCEL_GRACE_MS = 100;

/** Creates a pool of readers that start when they are needed. */
export function createReaderPool(options: ReaderPoolOptions): ReaderPool {
  const { start, readersMax, limitMs, idleMs = IDLE_MS } = options;
  const { cancelGraceMs = CANCEL_GRACE_MS } = options;
  const readers = new Set<Remote>();
  const idle = new Map<Remote, NodeJS.Timeout>();
  /** Readers that end because they have been idle. */
  const ending = new Set<Remote>();
  const waitingRoom = createWaitingRoom<Remote>();
  let isEnded = false;

  function takeFree(): Remote | undefined {
    for (const [reader, timer] of [...idle].reverse()) {
      clearTimeout(timer);
      idle.delete(reader);
      if (!reader.isGone) return reader;
      readers.delete(reader);
    }
    if (readers.size >= readersMax) return undefined;
    const reader = start();
    readers.add(reader);
    return reader;
  }

  function giveBack(reader: Remote): void {
    if (reader.isGone) readers.delete(reader);
    else idle.set(reader, setTimeout(() => retire(reader), idleMs).unref());
    while (waitingRoom.size > 0) {
      const free = takeFree();
      if (free === undefined) return;
      waitingRoom.admit(free);
    }
  }

  function retire(reader: Remote): void {
    idle.delete(reader);
    readers.delete(reader);
    ending.add(reader);
    void reader.end().finally(() => ending.delete(reader));
  }

  return {
    async run(statement, { signal, owner } = {}) {
      if (isEnded) throw new Error('The database has been closed.');
      if (signal?.aborted) throw new DatabaseUnavailableError('cancelled');
      const reader = takeFree() ?? (await waitingRoom.wait({ patienceMs: limitMs, signal, owner }));
      const running = reader.run({ statements: [statement] }).then(onlyResult);
      // Not earlier, when the caller gets its error: a cancelled statement still occupies its reader.
      running.finally(() => giveBack(reader)).catch(() => undefined);
      return supervise(running, { limitMs, cancelGraceMs, signal, kill: reader.kill });
    },
    use: () => ({ inUse: readers.size - idle.size, idle: idle.size, waiting: waitingRoom.size }),
    async end() {
      isEnded = true;
      waitingRoom.close();
      for (const timer of idle.values()) clearTimeout(timer);
      for (const reader of readers) if (!idle.has(reader)) reader.kill();
      await Promise.all([...readers, ...ending].map((reader) => reader.end()));
    },
  };
}

interface Supervision {
  limitMs: number;
  cancelGraceMs: number;
  signal: AbortSignal | undefined;
  kill: () => void;
}

/** Returns the result of a running statement. Kills its reader at the time limit, or when the signal aborts. */
async function supervise(
  running: Promise<StatementResult>,
  { limitMs, cancelGraceMs, signal, kill }: Supervision,
): Promise<StatementResult> {
  const stopped = Promise.withResolvers<never>();
  const limit = setTimeout(() => {
    stopped.reject(new DatabaseUnavailableError('timeout'));
    kill();
  }, limitMs);
  const cancel = () => {
    const grace = setTimeout(kill, cancelGraceMs);
    const settle = () => clearTimeout(grace);
    running.then(settle, settle);
    stopped.reject(new DatabaseUnavailableError('cancelled'));
  };
  signal?.addEventListener('abort', cancel);
  try {
    return await Promise.race([running, stopped.promise]);
  } finally {
    clearTimeout(limit);
    signal?.removeEventListener('abort', cancel);
  }
}
