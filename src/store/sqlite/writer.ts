import { createTurns } from '../../lib/turns.ts';
import { DatabaseUnavailableError } from '../error.ts';
import { Batches } from './batch.ts';
import type { Statement, StatementResult } from './connection.ts';
import { Turn } from './turn.ts';
import { isChange, onlyResult, type Runner } from './work.ts';

/** The one connection that writes. Transactions take turns, in the order in which they began. */
export interface Writer {
  /** Runs a statement in a transaction of its own. Throws DatabaseUnavailableError. */
  run(statement: Statement, options?: TurnOptions): Promise<StatementResult>;
  /** Runs changes in a transaction of their own, by one message. Returns their results. Throws as `run`. */
  runAll(changes: readonly Statement[], options?: TurnOptions): Promise<StatementResult[]>;
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
  /** Runs statements by one message. The first that fails is the last that runs. Returns their results. */
  runAll(statements: readonly Statement[]): Promise<StatementResult[]>;
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
  /** Time in which further transactions may join a batch. (Default: 20) */
  joinMs?: number;
}

/** Orders the writes of several processes, each of which is inside for a batch of transactions. */
export interface WriteGate {
  /** Waits for the turn of this process. After `patienceMs`, it may try without: the lock of the file protects it. */
  enter(patienceMs: number): Promise<void>;
  leave(): void;
}

/** No limits. */
export const UNLIMITED: WriterLimits = {
  limitMs: Number.POSITIVE_INFINITY,
  busyMs: Number.POSITIVE_INFINITY,
};

/** Creates a writer over a connection. Without a gate, processes compete for the lock of the file. */
export function createWriter(runner: Runner, limits: WriterLimits, gate?: WriteGate): Writer {
  const turns = createTurns({ runningMax: 1, tooBusy: () => new DatabaseUnavailableError('busy') });
  /** Whether the next transaction joins a batch, which holds the lock of the file. */
  let isBatchOpen = false;
  let isInside = false;
  const batches = new Batches(runner, () => turns.waiting > 0, limits.joinMs);

  async function takeTurn({ patience }: TurnOptions = {}): Promise<Turn> {
    const { limitMs, busyMs } = patience === 'unlimited' ? UNLIMITED : limits;
    const since = performance.now();
    const isEager = patience === 'none';
    const free = await turns.take({ patienceMs: isEager ? 0 : limitMs });
    if (gate && !isEager && !isBatchOpen) {
      await gate.enter(busyMs);
      isInside = true;
    }
    const end = (isContinued: boolean) => {
      isBatchOpen = isContinued;
      if (isInside && !isContinued) gate?.leave();
      isInside &&= isContinued;
      free();
    };
    const giveUpAt = isEager ? since : performance.now() + busyMs;
    return new Turn(batches, { limitMs, giveUpAt, free: end });
  }

  return {
    async run(statement, options) {
      const turn = await takeTurn(options);
      if (!isChange(statement)) return turn.runAlone(statement);
      return onlyResult(await turn.runSingle([statement]));
    },
    runAll: async (changes, options) => (await takeTurn(options)).runSingle(changes),
    begin: async (options) => createTransaction(await takeTurn(options)),
    end: () => runner.end(),
  };
}

function createTransaction(turn: Turn): WriterTransaction {
  let state: 'new' | 'begun' | 'ended' = 'new';
  let isLate = false;
  const end = async (how: 'commit' | 'rollback') => {
    const hasBegun = state === 'begun';
    state = 'ended';
    await (hasBegun ? turn[how]() : turn.end());
  };
  const runAll = async (statements: readonly Statement[]) => {
    if (state === 'ended') throw new Error('The transaction has ended.');
    try {
      if (state === 'begun') return await turn.run({ statements });
      const results = await turn.begin({ statements });
      state = 'begun';
      return results;
    } catch (error) {
      const reason = error instanceof DatabaseUnavailableError ? error.reason : null;
      // A first statement that fails has begun the transaction nevertheless.
      if (reason !== 'busy') state = 'begun';
      isLate ||= reason === 'timeout';
      throw error;
    }
  };
  return {
    run: async (statement) => onlyResult(await runAll([statement])),
    runAll,
    commit: () => end('commit'),
    async rollback() {
      if (state === 'ended') return;
      const undone = end('rollback');
      // The writer may still be in the statement.
      if (!isLate) await undone;
    },
  };
}
