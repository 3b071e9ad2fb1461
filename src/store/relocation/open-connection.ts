import type { MoveConnection } from './connection.ts';
import { openPostgresConnection } from './postgres-connection.ts';
import { openSqliteConnection } from './sqlite-connection.ts';

/** Opens a connection to a database that exists. */
export function openMoveConnection(url: string): Promise<MoveConnection> {
  return url.startsWith('sqlite:')
    ? openSqliteConnection(url.slice('sqlite:'.length))
    : openPostgresConnection(url);
}
