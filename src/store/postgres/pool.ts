import pg from 'pg';
import { createTurns, type Turns } from '../../lib/turns.ts';
import { DatabaseUnavailableError } from '../error.ts';
import type { ConnectionUse } from '../sqlite/pool.ts';
import { clientConfig, destroyClient } from './client.ts';
import { connectError } from './failure.ts';

/** Connections of one process; of all workers of a server; and the least that one of them has. */
const CONNECTIONS_MAX = 10;
const ALL_CONNECTIONS_MAX = 20;
const CONNECTIONS_MIN = 4;

/** Share of the connections that lists and counts may take. The others are left to look-ups and changes, which are short. */
const READING_SHARE = 0.8;
/** Share of the connections that lists and counts of one viewer or address may take. */
const READING_OF_OWNER_SHARE = 0.5;

/** A transaction contains only SQL, so one that is idle for this long belongs to a suspended process. */
const IDLE_IN_TRANSACTION_MS = 60_000;

/**
 * Settings of each connection. Every statement has an index; wrong or missing statistics must not make PostgreSQL read
 * and sort a whole table, or a whole folder, instead, nor compile a short statement. A bitmap is still used
 * where nothing else serves: for words, and for `or`. `enable_sort` stays on: without it, PostgreSQL reads a whole index in
 * its order to find the rows of a list of ids. A page of an index costs what it costs in memory. A comparison costs
 * next to nothing: of two indexes, the one in the order of the list is then never dearer for being a level deeper than
 * the other, and of two plans that cost the same, PostgreSQL takes the one in order. Otherwise, if it took a large folder
 * for an empty one, it read the whole folder by the other index and sorted it.
 */
const STEADY_PLANS = `set enable_seqscan = off; set enable_bitmapscan = off; set random_page_cost = 1.1;
  set cpu_operator_cost = 0.00001; set jit = off; set max_parallel_workers_per_gather = 0`;

/** The settings of a pool. */
export interface PoolOptions {
  url: string;
  /** Time after which the server cancels a statement. */
  statementTimeoutMs: number;
  /** Processes of this server. (Default: 1) */
  workers?: number;
}

/** A pool that hands out no connection that is known to be broken. */
export interface Pool {
  config: pg.PoolConfig;
  /** Turns of the reads of clients that are no look-ups. They wait at most as long as a statement may take. */
  readingTurns: Turns;
  /** See `PoolOptions`. */
  statementTimeoutMs: number;
  /** Throws DatabaseUnavailableError. */
  acquire(): Promise<pg.PoolClient>;
  /**
   * Like `acquire`, but returns a connection opened after this time of `performance.now()`, and closes older idle ones:
   * the cause that broke one connection has often broken all.
   */
  acquireNewer(since: number): Promise<pg.PoolClient>;
  /** Takes a connection back. A broken one is closed. */
  release(client: pg.PoolClient, isBroken: boolean): void;
  use(): ConnectionUse;
  end(): Promise<void>;
}

/** Creates a pool without connections. */
export function createPool({ url, statementTimeoutMs, workers = 1 }: PoolOptions): Pool {
  const max = Math.min(
    CONNECTIONS_MAX,
    Math.max(CONNECTIONS_MIN, Math.ceil(ALL_CONNECTIONS_MAX / workers)),
  );
  const config: pg.PoolConfig = {
    ...clientConfig(url),
    max,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
  };
  const pool = new pg.Pool(config);
  const openedAt = new WeakMap<pg.PoolClient, number>();
  pool.on('connect', (client) => {
    openedAt.set(client, performance.now());
    // For as long as it exists: an error without a listener would end the process. The statement in progress fails
    // with the same error.
    client.on('error', () => undefined);
    // Without the settings, its statements could scan whole tables for as long as it lives.
    void client.query(STEADY_PLANS).catch(() => destroyClient(client));
  });
  // Emitted for an idle connection that is lost; the pool opens another one.
  pool.on('error', () => undefined);
  const acquire = () =>
    pool.connect().catch((error) => {
      throw connectError(error);
    });
  const release = (client: pg.PoolClient, isBroken: boolean) => {
    if (isBroken) destroyClient(client);
    client.release(isBroken);
  };
  const readingTurns = createTurns({
    runningMax: Math.floor(max * READING_SHARE),
    groupRunningMax: Math.floor(max * READING_OF_OWNER_SHARE),
    tooBusy: () => new DatabaseUnavailableError('timeout'),
  });
  return {
    config,
    readingTurns,
    statementTimeoutMs,
    acquire,
    async acquireNewer(since) {
      for (;;) {
        const client = await acquire();
        if ((openedAt.get(client) ?? 0) > since) return client;
        release(client, true);
      }
    },
    release,
    use: () => ({
      inUse: pool.totalCount - pool.idleCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
    }),
    end: () => pool.end(),
  };
}
