import type { CompiledQuery } from 'kysely';
import pg from 'pg';
import { keepsPlan } from '../query-option.ts';

/** Maximum number of named statements of a connection: the server keeps each, with its plan, until the connection ends. */
const NAMES_MAX = 100;

/** Names of statements by their text, for each connection. */
const namesOf = new WeakMap<pg.ClientBase, Map<string, string>>();

/** Connections that have lost a named statement. */
const withoutNames = new WeakSet<pg.ClientBase>();

/**
 * Returns the name under which a connection keeps a statement, so that PostgreSQL parses and plans it once; undefined
 * for a query whose plan depends on its values.
 */
export function statementName(client: pg.ClientBase, query: CompiledQuery): string | undefined {
  if (!keepsPlan(query) || withoutNames.has(client)) return undefined;
  const names = namesOf.get(client) ?? new Map<string, string>();
  namesOf.set(client, names);
  const known = names.get(query.sql);
  if (known !== undefined || names.size >= NAMES_MAX) return known;
  const name = `look-up ${names.size + 1}`;
  names.set(query.sql, name);
  return name;
}

/** Makes a connection use no names from now on. */
export function forgetNames(client: pg.ClientBase): void {
  withoutNames.add(client);
}

/**
 * Tells whether a statement has failed only because it has a name. A migration of a newer version has changed the columns
 * of its result, or a pooler has changed the session behind the connection. The statement has not run.
 */
export function isNameFailure(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return false;
  const { code, routine } = error;
  return code === '26000' || code === '42P05' || routine === 'RevalidateCachedQuery';
}
