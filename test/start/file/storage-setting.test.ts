import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/start/config.ts';
import { createAwsCredentials, regionOfProfile } from '../../../src/start/file/aws-profile.ts';
import type { S3Storage } from '../../../src/start/file/storage-setting.ts';

function storageOf(url: string, env: Record<string, string> = {}): S3Storage {
  return parseConfig({ TRIVIUM_STORAGE_URL: url, ...env }).storage as S3Storage;
}

describe('the URL of a bucket', () => {
  it.each([
    ['s3://media', { bucket: 'media', prefix: '', endpoint: null, region: null, isPathStyle: null }],
    ['s3://media/a/b', { bucket: 'media', prefix: 'a/b/' }],
    ['s3://media/a/b/', { bucket: 'media', prefix: 'a/b/' }],
    ['s3://my.media?region=eu-central-1', { bucket: 'my.media', region: 'eu-central-1' }],
    [
      's3://media?endpoint=http://10.0.0.7:9000/&path-style=false',
      { endpoint: 'http://10.0.0.7:9000', isPathStyle: false },
    ],
    ['s3://media?endpoint=https%3A%2F%2Fs3.example.org', { endpoint: 'https://s3.example.org' }],
  ])('%s', (url, expected) => {
    expect(storageOf(url)).toMatchObject({ type: 's3', ...expected });
  });

  it.each([
    ['s3:bucket', /s3:\/\/bucket\/prefix/],
    ['s3://', /name of a bucket/],
    ['s3://Media', /name of a bucket/],
    ['s3://key:secret@media', /without credentials/],
    ['s3://media/a//b', /a prefix/],
    ['s3://media/../b', /a prefix/],
    ['s3://media?regoin=eu', /no parameters but endpoint, region, path-style, not regoin/],
    ['s3://media?region=eu&region=us', /region once/],
    ['s3://media?endpoint=s3.example.org', /endpoint=an http or https URL/],
    ['s3://media?endpoint=https://k:s@s3.example.org', /endpoint=an http or https URL/],
    ['s3://media?path-style=yes', /path-style=true or false/],
    ['s3://media#x', /s3:\/\/bucket\/prefix/],
  ])('%s is refused', (url, message) => {
    expect(() => storageOf(url)).toThrow(message);
  });

  it('takes region and endpoint from the variables of AWS', () => {
    const env = { AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL_S3: 'https://s3.example.org/' };
    const expected = { region: 'eu-west-1', endpoint: 'https://s3.example.org' };
    expect(storageOf('s3://media', env)).toMatchObject(expected);
    expect(storageOf('s3://media?region=us-east-2', env)).toMatchObject({ region: 'us-east-2' });
    expect(storageOf('s3://media', { AWS_DEFAULT_REGION: 'x-1' })).toMatchObject({ region: 'x-1' });
  });

  it('refuses half of the credentials, and redirects without a bucket', () => {
    expect(() => storageOf('s3://media', { AWS_ACCESS_KEY_ID: 'a' })).toThrow(/both or neither/);
    const redirect = { TRIVIUM_STORAGE_REDIRECT: 'public' };
    expect(() => parseConfig(redirect)).toThrow(/TRIVIUM_STORAGE_REDIRECT: expected never/);
    expect(parseConfig({ ...redirect, TRIVIUM_STORAGE_URL: 's3://media' })).toMatchObject({
      storageRedirect: 'public',
    });
  });
});

describe('credentials', () => {
  it('come from the variables', async () => {
    const env = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b', AWS_SESSION_TOKEN: 'c' };
    const source = createAwsCredentials(storageOf('s3://media', env).aws);
    const expected = { accessKeyId: 'a', secretAccessKey: 'b', sessionToken: 'c' };
    expect(await source.current()).toEqual(expected);
  });

  it('come from a profile in a file, which is read again when it changes', async () => {
    await withDirectory(async (directory) => {
      const file = join(directory, 'credentials');
      const text = (secret: string) =>
        `# ours\n[default]\naws_access_key_id = d\n\n[media]\naws_access_key_id=m\naws_secret_access_key = ${secret}=/+\n`;
      await writeFile(file, text('old'));
      await writeFile(join(directory, 'config'), '[profile media]\nregion = eu-north-1\n');
      const { aws } = storageOf('s3://media', {
        AWS_PROFILE: 'media',
        AWS_SHARED_CREDENTIALS_FILE: file,
        AWS_CONFIG_FILE: join(directory, 'config'),
      });
      const source = createAwsCredentials(aws);
      expect(await source.current()).toEqual({ accessKeyId: 'm', secretAccessKey: 'old=/+' });
      expect(await regionOfProfile(aws)).toBe('eu-north-1');
      await writeFile(file, text('new'));
      await utimes(file, 1, 1);
      expect(await source.reload()).toEqual({ accessKeyId: 'm', secretAccessKey: 'new=/+' });
      expect(await source.current()).toEqual({ accessKeyId: 'm', secretAccessKey: 'new=/+' });
    });
  });

  it('that are nowhere are an error that says where they may be', async () => {
    const { aws } = storageOf('s3://media', { HOME: '/absent' });
    await expect(createAwsCredentials(aws).current()).rejects.toThrow(
      /AWS_ACCESS_KEY_ID.*profile default.*\/absent\/\.aws\/credentials/,
    );
  });
});

async function withDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'trivium-aws-'));
  try {
    await work(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}
