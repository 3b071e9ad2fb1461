import { readdirSync } from 'node:fs';
import type { Db } from './db.ts';

/** Receives what the operator of the server has to know about the change of the rows: one sentence each. */
export type Report = (message: string) => void;

/** One step of the schema. Runs in a transaction, with SQL of its own time and no store function. */
export interface Migration {
  up(db: Db, report: Report): Promise<void>;
}

/**
 * The files of the folder `migration`, in the order of their numbers, in which they run. A migration that has been
 * released is never changed.
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
