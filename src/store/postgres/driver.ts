import { CompiledQuery, type DatabaseConnection, type Driver } from 'kysely';
import { PostgresConnection } from './connection.ts';
import type { Pool } from './pool.ts';

/**
 * Creates a driver that survives the loss of the database. Kysely's own one puts broken connections back into the pool,
 * runs no read twice, and cannot cancel the statements of a transaction.
 */
export function createDriver(pool: Pool): Driver {
  return {
    init: async () => undefined,
    acquireConnection: async () => new PostgresConnection(pool),
    async beginTransaction(connection, { isolationLevel, accessMode }) {
      const level = isolationLevel ? ` isolation level ${isolationLevel}` : '';
      const begin = `begin${level}${accessMode ? ` ${accessMode}` : ''}`;
      await connection.executeQuery(CompiledQuery.raw(begin));
      own(connection).isInTransaction = true;
    },
    // After a DatabaseUnavailableError, it is unknown whether the server has committed.
    async commitTransaction(connection) {
      const commit = CompiledQuery.raw('commit');
      const { rows } = await connection.executeQuery<{ command: string }>(commit);
      own(connection).isInTransaction = false;
      // The answer to a commit after a failed statement.
      if (rows[0]?.command === 'ROLLBACK') throw new Error('The transaction was rolled back.');
    },
    rollbackTransaction: (connection) => own(connection).rollback(),
    releaseConnection: async (connection) => own(connection).release(),
    destroy: () => pool.end(),
  };
}

function own(connection: DatabaseConnection): PostgresConnection {
  return connection as PostgresConnection;
}
