import { setTimeout as sleep } from 'node:timers/promises';
import { createTurns } from '../../lib/turns.ts';
import { DatabaseUnavailableError } from '../error.ts';
import type { Statement, StatementResult } from './connection.ts';
import type { Runner, Work } from './work.ts';

/** The one connection that writes. Transactions take turns, in the order in which they began. */
export interface Writer {
  /** Runs a statement in a transaction of its own. Throws DatabaseUnavailableError. */
  run(statement: Statement, options?: TurnOptions): Promise<StatementResult>;
  /** Waits for the turn. Throws DatabaseUnavailableError. */
  begin(options?: TurnOptions): Promise<WriterTransaction>;
  end(): Promise<void>;
}

/**
 * A transaction. It takes the lock of the database with its first statement: a separate message would make a short
 * transaction a third longer.
 */
export interface WriterTransaction {
  run(statement: Statement): Promise<StatementResult>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

/** Options of a turn. */
export interface TurnOptions {
  /** `unlimited`: the limits of the writer do not count. `none`: fails at once if anyone else writes. */
  patience?: 'unlimited' | 'none' | undefined;
}

/** Limits of a writer. */
export interface WriterLimits {
  /** Maximum duration of a statement, and of the wait for other transactions of this process. */
  limitMs: number;
  /** Maximum wait for another process. */
  busyMs: number;
}

/** No limits. */
export const UNLIMITED: WriterLimits = {
  limitMs: Number.POSITIVE_INFINITY,
  busyMs: Number.POSITIVE_INFINITY,
};

const RETRY_MS = 25;

/** Extra time for the writer, which itself undoes a statement that took too long, to report that first. */
const LATE_MS = 250;

/** Creates a writer over a connection. */
export function createWriter(runner: Runner, limits: WriterLimits): Writer {
  const turns = createTurns({ runningMax: 1, tooBusy: () => new DatabaseUnavailableError('busy') });

  async function takeTurn({ patience }: TurnOptions = {}): Promise<Turn> {
    const { limitMs, busyMs } = patience === 'unlimited' ? UNLIMITED : limits;
    const since = performance.now();
    const isEager = patience === 'none';
    const end = await turns.take({ patienceMs: isEager ? 0 : limitMs });
    let last: Promise<unknown> = Promise.resolve();
    const start = (work: Work) => {
      const running = runner.run(work);
      last = running.catch(() => undefined);
      return running;
    };
    const run = (work: Work) =>
      Number.isFinite(limitMs)
        ? limited(start({ ...work, limitMs }), limitMs + LATE_MS)
        : start(work);
    return {
      run,
      runFirst: (work) => runLocking(run, work, isEager ? since : since + busyMs),
      finish: async (step) => void (await start({ sql: step, parameters: [], step })),
      // Waits until the last statement has ended: the writer may still run it after the time limit.
      end: () => void last.then(end),
    };
  }

  return {
    async run(statement, options) {
      const turn = await takeTurn(options);
      return turn.runFirst({ ...statement, step: 'single' }).finally(turn.end);
    },
    begin: async (options) => createTransaction(await takeTurn(options)),
    end: () => runner.end(),
  };
}

interface Turn {
  run(work: Work): Promise<StatementResult>;
  /** Runs a statement that needs the lock of the database. */
  runFirst(work: Work): Promise<StatementResult>;
  /** Ends the transaction. A commit has no time limit: a slow one is not undone. */
  finish(step: 'commit' | 'rollback'): Promise<void>;
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
      if (performance.now() > until) throw new DatabaseUnavailableError('busy', { cause });
    }
    await sleep(RETRY_MS);
  }
}

function createTransaction(turn: Turn): WriterTransaction {
  let state: 'new' | 'begun' | 'ended' = 'new';
  let isLate = false;
  const end = async (step: 'commit' | 'rollback') => {
    if (state === 'begun') await turn.finish(step);
    state = 'ended';
    turn.end();
  };
  return {
    async run(statement) {
      if (state === 'ended') throw new Error('The transaction has ended.');
      try {
        if (state === 'begun') return await turn.run({ ...statement, step: 'next' });
        const result = await turn.runFirst({ ...statement, step: 'first' });
        state = 'begun';
        return result;
      } catch (error) {
        const reason = error instanceof DatabaseUnavailableError ? error.reason : null;
        // A first statement that fails has begun the transaction nevertheless.
        if (reason !== 'busy') state = 'begun';
        isLate ||= reason === 'timeout';
        throw error;
      }
    },
    commit: () => end('commit'),
    async rollback() {
      // It fails only if the thread has ended, and then there is nothing to undo.
      const undone = end('rollback').catch(turn.end);
      // The writer may still be in the statement.
      if (!isLate) await undone;
    },
  };
}

async function limited<T>(running: Promise<T>, limitMs: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new DatabaseUnavailableError('timeout')), limitMs);
  return Promise.race([running, late.promise]).finally(() => clearTimeout(timer));
}

function isLocked(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && code.startsWith('SQLITE_BUSY');
}
