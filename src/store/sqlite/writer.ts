import { setTimeout as sleep } from 'node:timers/promises';
import { createTurns } from '../../lib/turns.ts';
import { DatabaseBusyError } from '../error.ts';
import type { Statement, StatementResult } from './connection.ts';
import type { Runner, Work } from './work.ts';

/** The one connection that writes. Transactions take turns, in the order in which they began. */
export interface Writer {
  /** Runs a statement in a transaction of its own. Throws DatabaseBusyError. */
  run(statement: Statement): Promise<StatementResult>;
  /** Waits for the turn. Throws DatabaseBusyError. */
  begin(): Promise<WriterTransaction>;
  end(): Promise<void>;
}

/**
 * A transaction. It takes the lock of the database with its first statement: a message of its own would make a short
 * transaction a third longer.
 */
export interface WriterTransaction {
  run(statement: Statement): Promise<StatementResult>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

/** Limits of a writer. */
export interface WriterLimits {
  /** Maximum duration of a statement, and of the wait for other transactions of this process. */
  limitMs: number;
  /** Maximum wait for another process. */
  busyMs: number;
}

const RETRY_MS = 25;

/** The writer itself undoes a statement that took too long. It should be the first to say so. */
const LATE_MS = 250;

/** Creates a writer over a connection. */
export function createWriter(runner: Runner, { limitMs, busyMs }: WriterLimits): Writer {
  const turns = createTurns({ runningMax: 1, tooBusy: () => new DatabaseBusyError('locked') });

  async function takeTurn(): Promise<Turn> {
    const since = performance.now();
    const end = await turns.take({ patienceMs: limitMs });
    let last: Promise<unknown> = Promise.resolve();
    const run = (work: Work) => {
      const running = runner.run(Number.isFinite(limitMs) ? { ...work, limitMs } : work);
      last = running.catch(() => undefined);
      return limited(running, limitMs + LATE_MS);
    };
    return {
      run,
      runFirst: (work) => runLocking(run, work, since + busyMs),
      // Not before the last statement has ended: the writer may still be in it after its time limit.
      end: () => void last.then(end),
    };
  }

  return {
    async run(statement) {
      const turn = await takeTurn();
      return turn.runFirst({ ...statement, step: 'single' }).finally(turn.end);
    },
    begin: async () => createTransaction(await takeTurn()),
    end: () => runner.end(),
  };
}

interface Turn {
  run(work: Work): Promise<StatementResult>;
  /** Runs a statement that needs the lock of the database. */
  runFirst(work: Work): Promise<StatementResult>;
  end(): void;
}

/** Tries again while another process has the lock. The wait blocks no thread. */
async function runLocking(
  run: (work: Work) => Promise<StatementResult>,
  work: Work,
  until: number,
): Promise<StatementResult> {
  for (;;) {
    try {
      return await run(work);
    } catch (cause) {
      if (!isLocked(cause)) throw cause;
      if (performance.now() > until) throw new DatabaseBusyError('locked', { cause });
    }
    await sleep(RETRY_MS);
  }
}

function createTransaction(turn: Turn): WriterTransaction {
  let isBegun = false;
  let isLate = false;
  const run = async (statement: Statement) => {
    const isFirst = !isBegun;
    try {
      const result = isFirst
        ? await turn.runFirst({ ...statement, step: 'first' })
        : await turn.run({ ...statement, step: 'next' });
      isBegun = true;
      return result;
    } catch (error) {
      const isUnbegun = isFirst && error instanceof DatabaseBusyError && error.reason === 'locked';
      isBegun ||= !isUnbegun;
      isLate ||= error instanceof DatabaseBusyError && error.reason === 'timeout';
      throw error;
    }
  };
  return {
    run,
    async commit() {
      if (isBegun) await run({ sql: 'commit', parameters: [] });
      turn.end();
    },
    async rollback() {
      const undone = isBegun
        ? turn.run({ sql: 'rollback', parameters: [], step: 'rollback' })
        : Promise.resolve();
      // It fails only with its thread, and then there is nothing to undo.
      const ended = undone.catch(() => undefined).then(turn.end);
      // The writer may still be in the statement.
      if (!isLate) await ended;
    },
  };
}

async function limited<T>(running: Promise<T>, limitMs: number): Promise<T> {
  if (!Number.isFinite(limitMs)) return running;
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new DatabaseBusyError('timeout')), limitMs);
  return Promise.race([running, late.promise]).finally(() => clearTimeout(timer));
}

function isLocked(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && code.startsWith('SQLITE_BUSY');
}
