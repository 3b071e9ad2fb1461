import { createS3Client, type S3Client } from '../../src/blob/s3/client.ts';
import { fixedCredentials } from '../../src/blob/s3/credential.ts';
import type { S3Location } from '../../src/blob/s3/location.ts';
import type { S3Timing } from '../../src/blob/s3/request.ts';
import {
  type S3Server,
  type S3ServerOptions,
  TEST_CREDENTIALS,
  TEST_REGION,
  withS3Server,
} from './s3-server.ts';

/** Waits that are long enough for a server on this machine, and short enough for a test. */
export const QUICK: S3Timing = { backoffMs: 2, idleTimeoutMs: 500, connectTimeoutMs: 500 };

/** Returns the location of a prefix in the bucket of a test server. */
export function testLocation({ url }: Pick<S3Server, 'url'>, prefix = 'library/'): S3Location {
  return {
    bucket: 'trivium',
    prefix,
    endpoint: url,
    region: TEST_REGION,
    isPathStyle: true,
  };
}

/** Runs `work` with a client of a server of its own. */
export async function withS3Client<T>(
  work: (client: S3Client, server: S3Server) => Promise<T>,
  options: S3ServerOptions & { timing?: S3Timing } = {},
): Promise<T> {
  return await withS3Server(async (server) => {
    const client = createS3Client({
      location: testLocation(server),
      credentials: fixedCredentials(TEST_CREDENTIALS),
      timing: { ...QUICK, ...options.timing },
    });
    try {
      return await work(client, server);
    } finally {
      await client.close();
    }
  }, options);
}
