import pg from 'pg';
import { clientConfig, closeClient } from './client.ts';

/** A database for a short time, on the server of another one. */
export interface ScratchDatabase {
  url: string;
  /** Ends all connections to it. Returns how many. */
  cut(): Promise<number>;
  /** Ends all connections to it, and deletes it. */
  drop(): Promise<void>;
}

/** Creates an empty database beside that of the URL. The role of the URL needs the right to create databases. */
export async function createScratchDatabase(url: string, name: string): Promise<ScratchDatabase> {
  const run = async (text: string, parameters: unknown[] = []) => {
    const client = new pg.Client(clientConfig(url));
    client.on('error', () => undefined);
    await client.connect();
    return client.query(text, parameters).finally(() => closeClient(client));
  };
  await run(`create database ${pg.escapeIdentifier(name)}`);
  const scratch = new URL(url);
  scratch.pathname = name;
  return {
    url: scratch.href,
    async cut() {
      const ended = 'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1';
      return (await run(ended, [name])).rows.length;
    },
    drop: async () => void (await run(`drop database ${pg.escapeIdentifier(name)} with (force)`)),
  };
}
