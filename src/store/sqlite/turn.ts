import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseUnavailableError } from '../error.ts';
import type { Batches } from './batch.ts';
import type { Statement, StatementResult } from './connection.ts';
import { onlyResult, type Work } from './work.ts';

/** Limits of a turn. */
export interface TurnLimits {
  /** Maximum duration of a statement. */
  limitMs: number;
  /** When the wait for another process ends, as `performance.now()` counts. */
  giveUpAt: number;
  /** Gives the turn to the next one, which joins the batch if `isContinued`. */
  free: (isContinued: boolean) => void;
}

const RETRY_MS = 25;

/** Extra time for the writer, which itself undoes a statement that took too long, to report that first. */
const LATE_MS = 250;

/** The right to write: a transaction has it from its begin to its end. */
export class Turn {
  readonly #batches: Batches;
  readonly #limits: TurnLimits;
  /** Fulfilled when the writer has ended the last statement, which may be after its time limit. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(batches: Batches, limits: TurnLimits) {
    this.#batches = batches;
    this.#limits = limits;
  }

  /** Runs statements that are a transaction of their own, and ends the turn. */
  async runSingle(statements: readonly Statement[]): Promise<StatementResult[]> {
    const { isJoined } = this.#batches;
    const running = this.begin({ statements, end: isJoined ? 'leave' : 'commit' });
    const committed = isJoined ? running.then(() => this.#batches.waitForCommit()) : running;
    await Promise.all([running.finally(() => this.end()), committed]);
    return running;
  }

  /** Runs a statement outside of transactions, and ends the turn. */
  async runAlone(statement: Statement): Promise<StatementResult> {
    await this.#batches.commitWaiting();
    const running = this.#runFirst(() => this.#batches.runAlone(statement));
    return onlyResult(await running.finally(() => this.end()));
  }

  /** Runs the first work of a transaction. */
  begin(work: Work): Promise<StatementResult[]> {
    return this.#runFirst((limitMs) => this.#batches.begin({ ...work, limitMs }));
  }

  /** Runs work of a transaction that has begun. */
  run(work: Work): Promise<StatementResult[]> {
    return this.#runLimited((limitMs) => this.#batches.continue({ ...work, limitMs }));
  }

  /** Ends the turn. Returns when the changes are on the disk. */
  async commit(): Promise<void> {
    if (!this.#batches.isJoined) return this.#batches.commit().finally(() => this.end());
    const committed = this.#batches.waitForCommit();
    void this.end();
    return committed;
  }

  /** Undoes the changes and ends the turn. It fails only if the thread has ended, and then there is nothing to undo. */
  async rollback(): Promise<void> {
    await this.#batches.continue({ end: 'rollback' }).catch(() => undefined);
    await this.end();
  }

  /** Ends the turn of a transaction that has ended. */
  async end(): Promise<void> {
    await this.#last;
    const isContinued = this.#batches.isJoined;
    if (!isContinued) await this.#batches.commitWaiting();
    this.#limits.free(isContinued);
  }

  /** Tries again while another process has the lock. The wait blocks no thread. */
  async #runFirst(run: Run): Promise<StatementResult[]> {
    for (;;) {
      try {
        return await this.#runLimited(run);
      } catch (cause) {
        if (isLost(cause)) {
          this.#batches.lose(new DatabaseUnavailableError('connection', { cause }));
          continue;
        }
        if (!isLocked(cause)) throw cause;
        if (performance.now() > this.#limits.giveUpAt)
          throw new DatabaseUnavailableError('busy', { cause });
      }
      await sleep(RETRY_MS);
    }
  }

  async #runLimited(run: Run): Promise<StatementResult[]> {
    const { limitMs } = this.#limits;
    const running = run(limitMs);
    this.#last = running.catch(() => undefined);
    return Number.isFinite(limitMs) ? limited(running, limitMs + LATE_MS) : running;
  }
}

type Run = (limitMs: number) => Promise<StatementResult[]>;

async function limited<T>(running: Promise<T>, limitMs: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new DatabaseUnavailableError('timeout')), limitMs);
  return Promise.race([running, late.promise]).finally(() => clearTimeout(timer));
}

function isLocked(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && code.startsWith('SQLITE_BUSY');
}

/** Tells whether the transactions before this one in its batch have been rolled back. */
function isLost(error: unknown): boolean {
  return error instanceof DatabaseUnavailableError && error.reason === 'lost';
}
