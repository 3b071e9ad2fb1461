import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { dialectOf } from '../dialect.ts';

/**
 * Adds the rules by which PostgreSQL ignores case in parts of texts: those of Unicode, whatever the locale of the database
 * is. A server without ICU folds ASCII only. On SQLite, they are a function.
 */
export async function up(db: Db): Promise<void> {
  if (dialectOf(db) !== 'postgres') return;
  await sql`do $$ begin
    create collation case_rules (provider = icu, locale = 'und');
  exception when feature_not_supported or invalid_parameter_value or undefined_object then
    create collation case_rules from "C";
  end $$`.execute(db);
}
