import { type Command, Option } from 'commander';
import { createEndpoint, type UploadClientOptions } from '../client/option.ts';
import { request } from '../client/request.ts';
import { isTransient, retry } from '../client/retry.ts';
import { createUploadClient, type UploadClient } from '../client/upload/upload-client.ts';
import { UploadError } from '../client/upload/upload-error.ts';
import type { FailureFragment, TypedDocument } from './document.ts';
import { toCommandError, UsageError } from './failure.ts';

/** What the commands that talk to a server share. */
export interface ClientSetting {
  argv: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  /** Runs a command. A command that fails ends the process. */
  attempt: (work: () => Promise<void>) => Promise<void>;
  /** Runs work that creates files for the user, with the access that they have chosen by `umask`. */
  withUserUmask: (work: () => Promise<void>) => Promise<void>;
  /** Returns the MD5 that a local file has on a server that removes its location; null if it has none. */
  md5WithoutLocation: (path: string) => Promise<string | null>;
}

/** The options that name the server and the credential. */
export interface ServerFlags {
  url: string;
  key?: string;
}

/**
 * Adds the options that name the server and the credential. No command looks for a key on disk: sending an admin key
 * unasked would make the admin the owner, and would give the key to any program that listens at the URL.
 */
export function withServer(command: Command, env: ClientSetting['env']): Command {
  return command
    .option('--url <url>', 'URL of the server (TRIVIUM_URL)', defaultUrl(env))
    .addOption(new Option('--key <key>', 'API key or token (TRIVIUM_API_KEY); default: anonymous'));
}

/** A server on this machine may listen at another port than usual. */
function defaultUrl({ TRIVIUM_URL, TRIVIUM_PORT = '' }: ClientSetting['env']): string {
  const port = /^[1-9]\d{0,4}$/.test(TRIVIUM_PORT) ? TRIVIUM_PORT : '4000';
  return TRIVIUM_URL || `http://127.0.0.1:${port}`;
}

/** A server, and how it is asked. Everything throws UploadError. */
export interface Connection {
  /** Without a slash at its end. */
  url: string;
  /** Headers with the credential. */
  headers: Headers;
  createClient(options?: Partial<UploadClientOptions>): UploadClient;
  /** Sends a query, with retries. */
  ask<Data, Variables>(
    query: TypedDocument<Data, Variables>,
    variables: NoInfer<Variables>,
    signal?: AbortSignal,
  ): Promise<Data>;
  /** Sends a mutation once, since a retry could do its work twice. */
  change<Result extends object, Variables>(
    mutation: TypedDocument<{ result: Result }, Variables>,
    variables: NoInfer<Variables>,
    signal?: AbortSignal,
  ): Promise<Exclude<Result, FailureFragment>>;
}

/** Runs `work` with a connection, after checking that a server answers. Throws CommandError. */
export async function withConnection(
  flags: ServerFlags,
  env: ClientSetting['env'],
  work: (connection: Connection) => Promise<void>,
): Promise<void> {
  const url = parseUrl(flags.url);
  try {
    const connection = connect({ url, credential: flags.key ?? env.TRIVIUM_API_KEY });
    await connection.createClient().check();
    await work(connection);
  } catch (error) {
    throw error instanceof UploadError ? toCommandError(error, url) : error;
  }
}

/** Limits and delays of retries: as those of an upload. */
export const RETRY = { retriesMax: 8, retryDelayMs: 500, retryDelayMaxMs: 30_000 };

function connect(options: UploadClientOptions & { url: string }): Connection {
  const endpoint = createEndpoint(options);
  return {
    url: options.url,
    headers: endpoint.headers,
    createClient: (more) => createUploadClient({ ...options, ...more }),
    ask: (query, variables, signal) =>
      retry({ ...RETRY, isWorthwhile: isTransient, signal }, () =>
        request(endpoint, { query, variables }, signal),
      ),
    change: async (query, variables, signal) =>
      succeed((await request<{ result: object }>(endpoint, { query, variables }, signal)).result),
  };
}

function succeed<Result extends object>(result: object): Exclude<Result, FailureFragment> {
  // No success type has a field of this name: the documents select it on errors only.
  if ('code' in result) {
    const { code, message } = result as FailureFragment;
    throw new UploadError(code, message);
  }
  return result as Exclude<Result, FailureFragment>;
}

function parseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username || url.password)
    throw new UsageError(
      `--url: expected an http or https URL without user and password, got ${text}`,
    );
  return text.replace(/\/+$/, '').replace(/\/graphql$/, '');
}
