import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { TEST_CREDENTIALS, TEST_REGION } from '../s3-server.ts';

const SERVER = fileURLToPath(new URL('../s3-server.ts', import.meta.url));

type Variables = Readonly<Record<string, string | undefined>>;

/** The bucket in which a run of the tests stores files. */
export interface TestBucket {
  /** Its variables; null if the run stores files in directories. */
  bucket: Readonly<Record<string, string>> | null;
  stop(): Promise<void>;
}

/**
 * Opens the bucket of `TRIVIUM_STORAGE_URL`, if that is an S3 URL, with the variables of AWS. `TRIVIUM_TEST_STORAGE=s3`:
 * a bucket of our own server, in a process of its own, until `stop`.
 */
export async function openBucket(env: Variables): Promise<TestBucket> {
  if (env.TRIVIUM_TEST_STORAGE === 's3') return startBucket();
  const isBucket = env.TRIVIUM_STORAGE_URL?.startsWith('s3:');
  const names = Object.keys(env).filter((name) => /^(AWS_|TRIVIUM_STORAGE_URL$)/.test(name));
  const variables = Object.fromEntries(names.map((name) => [name, env[name] ?? '']));
  return { bucket: isBucket ? variables : null, stop: async () => undefined };
}

async function startBucket(): Promise<TestBucket> {
  const child = spawn(process.execPath, [SERVER], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit');
  const url = await urlOf(createInterface({ input: child.stdout }));
  child.stdout.resume();
  return {
    bucket: {
      TRIVIUM_STORAGE_URL: `s3://trivium/tests?endpoint=${url}&region=${TEST_REGION}`,
      AWS_ACCESS_KEY_ID: TEST_CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: TEST_CREDENTIALS.secretAccessKey,
    },
    async stop() {
      child.kill('SIGTERM');
      await exit;
    },
  };
}

async function urlOf(lines: AsyncIterable<string>): Promise<string> {
  for await (const line of lines) {
    const [, url] = /^S3 at (\S+),/.exec(line) ?? [];
    if (url !== undefined) return url;
  }
  throw new Error('The S3 server of the tests does not start.');
}
