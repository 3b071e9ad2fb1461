import type { Db } from '../db.ts';
import { columnTypes } from '../dialect.ts';

/**
 * Adds users, their sessions and the guesses at their passwords, and what revoking a key needs. A user is a row of
 * `user_account`, because `user` is a reserved word of PostgreSQL. Deleting a user deletes its sessions; a session without
 * a user is one of the admin key.
 */
export async function up(db: Db): Promise<void> {
  const { id, integer, text } = columnTypes(db);
  await db.schema
    .createTable('user_account')
    .addColumn('id', id)
    .addColumn('name', text, (c) => c.notNull().unique())
    .addColumn('role', text, (c) => c.notNull())
    .addColumn('start_nodes', text)
    .addColumn('password', text, (c) => c.notNull())
    .addColumn('is_from_file', integer, (c) => c.notNull().defaultTo(0))
    .addColumn('created_by', text)
    .addColumn('created_at', integer, (c) => c.notNull())
    .addColumn('updated_at', integer, (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('session')
    .addColumn('id', id)
    .addColumn('token_sha256', text, (c) => c.notNull().unique())
    .addColumn('user_id', integer, (c) => c.references('user_account.id').onDelete('cascade'))
    .addColumn('created_at', integer, (c) => c.notNull())
    .addColumn('expires_at', integer, (c) => c.notNull())
    .execute();
  await db.schema.createIndex('session_user').on('session').column('user_id').execute();
  await db.schema.createIndex('session_expires').on('session').column('expires_at').execute();
  await db.schema
    .createTable('login_guess')
    .addColumn('subject', text, (c) => c.primaryKey().notNull())
    .addColumn('forgotten_at', integer, (c) => c.notNull())
    .execute();
  await db.schema.createIndex('guess_forgotten').on('login_guess').column('forgotten_at').execute();
  await db.schema.alterTable('api_key').addColumn('created_by', text).execute();
  await db.schema.alterTable('api_key').addColumn('revoked_at', integer).execute();
}
