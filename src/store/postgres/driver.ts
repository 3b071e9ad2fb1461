import type { DatabaseConnection, Driver } from 'kysely';
import { PostgresConnection } from './connection.ts';
import type { Pool } from './pool.ts';

/**
 * Creates a driver that survives the loss of the database. Kysely's own one puts broken connections back into the pool,
 * runs no read twice, and cannot cancel the statements of a transaction.
 */
export function createDriver(pool: Pool): Driver {
  return {
    init: async () => undefined,
    acquireConnection: async () => new PostgresConnection(pool, await pool.acquire()),
    beginTransaction: (connection, { isolationLevel, accessMode }) => {
      const level = isolationLevel ? ` isolation level ${isolationLevel}` : '';
      return own(connection).begin(`begin${level}${accessMode ? ` ${accessMode}` : ''}`);
    },
    commitTransaction: (connection) => own(connection).commit(),
    rollbackTransaction: (connection) => own(connection).rollback(),
    releaseConnection: async (connection) => own(connection).release(),
    destroy: () => pool.end(),
  };
}

function own(connection: DatabaseConnection): PostgresConnection {
  return connection as PostgresConnection;
}
