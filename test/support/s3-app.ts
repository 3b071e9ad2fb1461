import { type TestApp, withApp } from './app.ts';
import type { Backend } from './backend.ts';
import { type S3Server, TEST_CREDENTIALS, TEST_REGION, withS3Server } from './s3-server.ts';

/** Returns the variables of a server whose files are in the bucket of a test server. */
export function s3Variables({ url }: Pick<S3Server, 'url'>, prefix = 'library') {
  return {
    TRIVIUM_STORAGE_URL: `s3://trivium/${prefix}?endpoint=${url}&region=${TEST_REGION}`,
    AWS_ACCESS_KEY_ID: TEST_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: TEST_CREDENTIALS.secretAccessKey,
  };
}

/** Runs `work` with a server whose files are in a bucket of its own. */
export async function withS3App<T>(
  backend: Backend,
  work: (app: TestApp, s3: S3Server) => Promise<T>,
  variables: Readonly<Record<string, string>> = {},
): Promise<T> {
  return await withS3Server((s3) =>
    withApp(backend, (app) => work(app, s3), { ...s3Variables(s3), ...variables }),
  );
}
