import type { Statement, StatementResult } from './connection.ts';
import type { Runner, Work } from './work.ts';

/**
 * Maximum number of transactions in a batch, and maximum time in which others may join: the first one waits for its
 * commit that long.
 */
const MEMBERS_MAX = 32;
const JOIN_MS = 20;

/** Transactions that are committed together. */
class Batch {
  readonly id: number;
  /** Transactions that have ended and wait for the commit. */
  readonly members: PromiseWithResolvers<void>[] = [];
  /** When the first one began to wait. */
  waitingSince = Number.POSITIVE_INFINITY;

  constructor(id: number) {
    this.id = id;
  }
}

/**
 * The current batch. A commit waits for the disk, most of the time of a short transaction: transactions that wait for
 * each other share one. None is acknowledged before the commit.
 */
export class Batches {
  readonly #runner: Runner;
  readonly #hasNext: () => boolean;
  readonly #joinMs: number;
  #batch = new Batch(1);

  /** @param hasNext Tells whether another transaction waits for its turn. */
  constructor(runner: Runner, hasNext: () => boolean, joinMs = JOIN_MS) {
    this.#runner = runner;
    this.#hasNext = hasNext;
    this.#joinMs = joinMs;
  }

  /** Whether the next transaction will join the batch, and commit for those before it. */
  get isJoined(): boolean {
    const { members, waitingSince } = this.#batch;
    const isFull =
      members.length >= MEMBERS_MAX - 1 || performance.now() - waitingSince > this.#joinMs;
    return this.#hasNext() && !isFull;
  }

  /** Runs work of a transaction that begins. Throws `lost` if those before it in the batch have been rolled back. */
  begin(work: Work): Promise<StatementResult[]> {
    const { members, id } = this.#batch;
    return this.#start({ ...work, batch: id, begin: members.length === 0 ? 'open' : 'join' });
  }

  /** Runs work of a transaction that has begun. */
  continue(work: Work): Promise<StatementResult[]> {
    return this.#start({ ...work, batch: this.#batch.id });
  }

  /** Runs a statement outside of transactions. */
  runAlone(statement: Statement): Promise<StatementResult[]> {
    return this.#start({ statements: [statement] });
  }

  /** Waits for the commit of a later transaction. */
  waitForCommit(): Promise<void> {
    const member = Promise.withResolvers<void>();
    if (this.#batch.members.push(member) === 1) this.#batch.waitingSince = performance.now();
    return member.promise;
  }

  /** Commits the batch. It has no time limit: a slow commit is not undone. */
  async commit(): Promise<void> {
    try {
      await this.continue({ end: 'commit' });
    } catch (error) {
      this.lose(error);
      throw error;
    }
  }

  /** Commits the batch if transactions wait for that. */
  async commitWaiting(): Promise<void> {
    // Those that wait get the error.
    if (this.#batch.members.length > 0) await this.commit().catch(() => undefined);
  }

  /** Fails the transactions that wait, and begins a new batch. */
  lose(error: unknown): void {
    for (const { reject } of this.#next()) reject(error);
  }

  #start(work: Work): Promise<StatementResult[]> {
    const running = this.#runner.run(work);
    if (work.end === 'commit') {
      const resolveAll = () => {
        for (const { resolve } of this.#next()) resolve();
      };
      running.then(resolveAll, () => undefined);
    }
    return running;
  }

  /** Begins a new batch, and returns the transactions that wait in the old one. */
  #next(): Batch['members'] {
    const { members, id } = this.#batch;
    this.#batch = new Batch(id + 1);
    return members;
  }
}
