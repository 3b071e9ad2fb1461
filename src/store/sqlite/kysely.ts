import {
  type ConnectionProvider,
  type DatabaseConnection,
  DefaultQueryExecutor,
  Kysely,
  SqliteAdapter,
  SqliteDialect,
} from 'kysely';
import type { Database } from '../table.ts';
import type { Channels } from './channels.ts';
import {
  type GetSignal,
  InlineConnection,
  type InlineRead,
  type OnQuery,
  observedInline,
  RoutedConnection,
  RoutedDriver,
  type RouteOptions,
} from './routing.ts';

/**
 * Gives the other ways to the same database. Kysely keeps its adapter in everything that it derives, so that no
 * function needs more than `db`.
 */
export class RoutedAdapter extends SqliteAdapter {
  /** Reads on this thread; null if the database has only one connection. */
  readonly inline: Kysely<Database> | null;
  /** The same for compiled text, without the steps of Kysely. */
  readonly readInline: InlineRead | null;
  /** See `dataVersion` of `inline.ts`; null if the database has only one connection. */
  readonly dataVersion: (() => number) | null;
  /** The readers; null if the database has only one connection. */
  readonly use: Channels['use'];
  readonly #derive: Derive;
  readonly #connect: (options: RouteOptions) => DatabaseConnection;

  constructor(channels: Channels, onQuery: OnQuery | undefined, derive: Derive) {
    super();
    this.readInline = channels.readInline && observedInline(channels.readInline, onQuery);
    this.dataVersion = channels.dataVersion;
    this.use = channels.use;
    const connection = this.readInline && new InlineConnection(this.readInline);
    this.inline = connection && derive(this, () => connection);
    this.#derive = derive;
    this.#connect = (options) => new RoutedConnection(channels, { onQuery, ...options });
  }

  /** Returns the database for one request of an owner, whose reads stop when its signal aborts. */
  withSignal(getSignal: GetSignal, owner: string | undefined): Kysely<Database> {
    return this.#derive(this, () => this.#connect({ getSignal, owner }));
  }

  /** Returns the database for changes that wait for ever, or not at all. */
  withPatience(patience: 'unlimited' | 'none'): Kysely<Database> {
    return this.#derive(this, () => this.#connect({ patience }));
  }
}

/** Returns a Kysely that takes its connections from a function. */
type Derive = (adapter: RoutedAdapter, connect: () => DatabaseConnection) => Kysely<Database>;

/** Opens Kysely over the connections of a database. */
export function createKysely(channels: Channels, onQuery?: OnQuery): Kysely<Database> {
  const dialect = new SqliteDialect({ database: noDatabase });
  const driver = new RoutedDriver(channels);
  const compiler = dialect.createQueryCompiler();
  const derive: Derive = (adapter, connect) => {
    const connections: ConnectionProvider = { provideConnection: (use) => use(connect()) };
    const executor = new DefaultQueryExecutor(compiler, adapter, connections);
    return new Kysely<Database>({ config: { dialect }, dialect, driver, executor });
  };
  const adapter = new RoutedAdapter(channels, onQuery, derive);
  return derive(adapter, () => new RoutedConnection(channels, { onQuery }));
}

/** Kysely's own driver, which would open the database, is not used. */
async function noDatabase(): Promise<never> {
  throw new Error('The driver of Kysely must not be used.');
}
