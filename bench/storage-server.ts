import { fileURLToPath } from 'node:url';
import { createS3Client, type S3Client } from '../src/blob/s3/client.ts';
import { fixedCredentials } from '../src/blob/s3/credential.ts';
import type { S3Location } from '../src/blob/s3/location.ts';
import { presign } from '../src/blob/s3/request.ts';
import { TEST_CREDENTIALS, TEST_REGION } from '../test/support/s3-server.ts';
import { administer } from './million.ts';
import type { RunningServer } from './scratch.ts';
import { type ServerSetup, startTrivium } from './server.ts';

const S3_SERVER = fileURLToPath(new URL('./s3-server.ts', import.meta.url));

/** A server of the S3 API on the core of the load, as if it were on another machine. */
export interface Bucket extends RunningServer {
  /** Variables of a server that keeps its files in the bucket. */
  variables: Readonly<Record<string, string>>;
  /** Returns the path, with a signature, of an object that the bench itself reads or writes. */
  signedPath(method: 'GET' | 'PUT', name: string): Promise<string>;
  /** Deletes all objects. */
  empty(): Promise<void>;
}

/** Starts a server of the S3 API with an empty bucket. */
export async function startBucket({ scratch }: ServerSetup): Promise<Bucket> {
  const server = await scratch.start('s3', [process.execPath, S3_SERVER], {
    ...process.env,
    TMPDIR: scratch.directory,
  });
  const location: S3Location = {
    bucket: 'trivium',
    prefix: '',
    endpoint: server.url,
    region: TEST_REGION,
    isPathStyle: true,
  };
  const credentials = fixedCredentials(TEST_CREDENTIALS);
  const client = createS3Client({ location, credentials });
  return {
    ...server,
    variables: {
      TRIVIUM_STORAGE_URL: `s3://trivium/library?endpoint=${server.url}&region=${TEST_REGION}`,
      AWS_ACCESS_KEY_ID: TEST_CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: TEST_CREDENTIALS.secretAccessKey,
    },
    async signedPath(method, name) {
      const { pathname, search } = new URL(
        await presign(location, { method, name }, TEST_CREDENTIALS, 3600),
      );
      return pathname + search;
    },
    empty: () => deleteAll(client),
    async stop() {
      await client.close();
      await server.stop();
    },
  };
}

async function deleteAll(client: S3Client): Promise<void> {
  const names = (await Array.fromAsync(client.list(''))).map(({ name }) => name);
  await client.delete(names);
}

/** Starts our server on a new database at `TEST_POSTGRES_URL`. */
export async function startOnPostgres(
  setup: ServerSetup,
  name: string,
  variables: Readonly<Record<string, string>>,
): Promise<RunningServer> {
  await dropDatabase(name);
  const server = postgresUrl();
  await administer(server, (client) => client.query(`create database ${databaseOf(name)}`));
  const url = new URL(server);
  url.pathname = databaseOf(name);
  // Jobs would compete with the requests, which are what is measured.
  const settings = { TRIVIUM_DATABASE_URL: url.href, TRIVIUM_JOB_CONCURRENCY: '0', ...variables };
  return startTrivium(setup, name, settings);
}

/** Deletes the database of a server. */
export async function dropDatabase(name: string): Promise<void> {
  await administer(postgresUrl(), (client) =>
    client.query(`drop database if exists ${databaseOf(name)} with (force)`),
  );
}

const databaseOf = (name: string) => `trivium_bench_${name.replaceAll('-', '_')}`;

function postgresUrl(): string {
  const url = process.env.TEST_POSTGRES_URL;
  if (!url) throw new Error('The part storage needs PostgreSQL: set TEST_POSTGRES_URL');
  return url;
}
