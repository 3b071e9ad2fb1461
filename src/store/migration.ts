import { readdirSync } from 'node:fs';
import type { Db } from './db.ts';

/**
 * Receives what the operator of the server has to know about the change of the rows, one sentence each; `info`: only how
 * far a long change is. (Default: `warn`)
 */
export type Report = (message: string, level?: 'info' | 'warn') => void;

/** One step of the schema. Runs in a transaction, with SQL of its own time and no store function. */
export interface Migration {
  up(db: Db, report: Report): Promise<void>;
  /**
   * The same for a PostgreSQL database that is in use, where `up` would hold locks for long. (Default: `up`, in a
   * transaction that waits for locks only for a moment)
   */
  online?: readonly OnlineStep[];
}

/** A part of a migration that others do not have to wait for. It may run again: the process may have ended after it. */
export interface OnlineStep {
  /** Whether it runs outside of a transaction. (Default: false, in a transaction of its own) */
  isAlone?: boolean;
  run(db: Db, report: Report): Promise<void>;
}

/**
 * The files of the folder `migration`, in the order of their numbers, in which they run. What a migration that has been
 * released makes of a database is never changed.
 */
export const MIGRATIONS: Readonly<Record<string, Migration>> = Object.fromEntries(
  await Promise.all(migrationNames().map(loadMigration)),
);

function migrationNames(): string[] {
  return readdirSync(`${import.meta.dirname}/migration`)
    .filter((file) => /^\d{4}-[a-z0-9-]+\.ts$/.test(file))
    .map((file) => file.replace(/\.ts$/, ''))
    .sort();
}

async function loadMigration(name: string): Promise<[string, Migration]> {
  return [name, (await import(`./migration/${name}.ts`)) as Migration];
}
