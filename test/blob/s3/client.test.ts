import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { bytesBody } from '../../../src/blob/s3/body.ts';
import { createS3Client, type S3Client } from '../../../src/blob/s3/client.ts';
import { fixedCredentials } from '../../../src/blob/s3/credential.ts';
import { S3Error } from '../../../src/blob/s3/error.ts';
import { QUICK, testLocation, withS3Client } from '../../support/s3-client.ts';
import { TEST_CREDENTIALS } from '../../support/s3-server.ts';

const TEXT = bytesBody(Buffer.from('the bytes of an object'));
const SLOW_DOWN = { status: 503, code: 'SlowDown' };
const PART_BYTES = 5 * 2 ** 20;

async function textOf(client: S3Client, name: string, range?: { start: number; end: number }) {
  const object = await client.get(name, { range });
  return object && (await buffer(object.body)).toString();
}

describe('the client of S3', () => {
  it('stores, reads, describes and deletes an object', async () => {
    await withS3Client(async (client, server) => {
      await client.put('a/b', TEXT);
      expect(await textOf(client, 'a/b')).toBe('the bytes of an object');
      expect(await textOf(client, 'a/b', { start: 4, end: 8 })).toBe('bytes');
      expect(await client.head('a/b')).toMatchObject({ sizeBytes: 22, sha256: TEXT.sha256 });
      expect(server.state().objects).toMatchObject([{ name: 'library/a/b', sizeBytes: 22 }]);
      await client.delete(['a/b', 'absent']);
      expect(await client.get('a/b')).toBeNull();
      expect(await client.head('a/b')).toBeNull();
    });
  });

  it('throws RangeError for a range past the end, and refuses another version', async () => {
    await withS3Client(async (client) => {
      await client.put('a', TEXT);
      await expect(client.get('a', { range: { start: 22, end: 30 } })).rejects.toThrow(RangeError);
      await expect(client.get('a', { ifMatch: '"other"' })).rejects.toMatchObject({ status: 412 });
    });
  });

  it('never replaces an object by other bytes', async () => {
    await withS3Client(async (client) => {
      await client.put('a', TEXT);
      await client.put('a', TEXT);
      const other = client.put('a', bytesBody(Buffer.from('other')));
      await expect(other).rejects.toMatchObject({ status: 412, code: 'PreconditionFailed' });
      expect(await textOf(client, 'a')).toBe('the bytes of an object');
    });
  });

  it('lists objects in the order of their names, over many pages', async () => {
    await withS3Client(
      async (client) => {
        const names = Array.from({ length: 7 }, (_, index) => `x/${(index * 5) % 7}&<`);
        for (const name of [...names, 'y']) await client.put(name, TEXT);
        const listed = await Array.fromAsync(client.list('x/'));
        expect(listed.map(({ name }) => name)).toEqual(names.sort());
        expect(listed[0]).toMatchObject({ sizeBytes: 22, modifiedAt: expect.any(Date) });
        await client.delete(names);
        expect(await Array.fromAsync(client.list(''))).toHaveLength(1);
      },
      { pageMax: 3 },
    );
  });

  it('makes parts an object, and lists what is open', async () => {
    await withS3Client(
      async (client, server) => {
        const bytes = randomBytes(2 * PART_BYTES + 5);
        const upload = { name: 'big', uploadId: await client.createUpload('big') };
        await client.createUpload('big');
        await client.createUpload('other');
        const parts = [];
        for (const number of [3, 1, 2]) {
          const body = bytesBody(bytes.subarray((number - 1) * PART_BYTES, number * PART_BYTES));
          const etag = await client.uploadPart(upload, number, body);
          parts.push({ number, etag, sizeBytes: body.sizeBytes });
        }
        parts.sort((one, other) => one.number - other.number);
        expect(await Array.fromAsync(client.listParts(upload))).toMatchObject(parts);
        const open = await Array.fromAsync(client.listUploads(''));
        expect(open.map(({ name }) => name)).toEqual(['big', 'big', 'other']);
        await client.completeUpload(upload, parts);
        const object = await client.get('big');
        expect((await buffer(object!.body)).equals(bytes)).toBe(true);
        for await (const one of client.listUploads('')) await client.abortUpload(one);
        await client.abortUpload(upload);
        expect(server.state().uploads).toEqual([]);
      },
      { pageMax: 2 },
    );
  });

  it('signs URLs that need no credentials, and expire', async () => {
    await withS3Client(async (client) => {
      await client.put('a', TEXT);
      const contentDisposition = `attachment; filename="a + b.txt"; filename*=UTF-8''%C3%A9.txt`;
      const options = { expiresSeconds: 60, contentType: 'text/plain', contentDisposition };
      const url = await client.presignGet('a', options);
      const response = await fetch(url);
      expect(await response.text()).toBe('the bytes of an object');
      expect(response.headers.get('content-type')).toBe('text/plain');
      expect(response.headers.get('content-disposition')).toBe(contentDisposition);
      expect((await fetch(url.replace('text%2Fplain', 'text%2Fhtml'))).status).toBe(403);
      const past = url.replace(/X-Amz-Date=\d{4}/, 'X-Amz-Date=2020');
      expect((await fetch(past)).status).toBeGreaterThanOrEqual(400);
    });
  });

  it('is refused with wrong credentials, and never names them', async () => {
    await withS3Client(async (_, server) => {
      const secretAccessKey = 'a-wrong-secret';
      const client = createS3Client({
        location: testLocation(server),
        credentials: fixedCredentials({ ...TEST_CREDENTIALS, secretAccessKey }),
        timing: QUICK,
      });
      const error: S3Error = await client.put('a', TEXT).catch((reason) => reason);
      expect(error).toMatchObject({ code: 'SignatureDoesNotMatch', failure: 'unavailable' });
      expect(error.message).not.toContain(secretAccessKey);
      await client.close();
    });
  });
});

describe('a request that fails', () => {
  it.each([
    ['slow down', SLOW_DOWN],
    ['an error of the server', { status: 500, code: 'InternalError' }],
    ['a changed body', { status: 400, code: 'BadDigest' }],
    ['a cut before', 'cut-before'],
    ['a cut within', 'cut-within'],
    ['a cut after', 'cut-after'],
  ] as const)('is repeated after %s', async (_, what) => {
    await withS3Client(async (client, server) => {
      const bytes = bytesBody(randomBytes(300_000));
      server.fail({ what, times: 2 });
      await client.put('a', bytes);
      server.fail({ what, times: 2 });
      const upload = { name: 'b', uploadId: await client.createUpload('b') };
      await client.uploadPart(upload, 1, bytes);
      expect(server.pendingFaults()).toBe(0);
      expect(server.state().objects).toMatchObject([{ sizeBytes: 300_000 }]);
      expect(server.state().uploads.at(-1)).toMatchObject({ partCount: 1 });
    });
  });

  it('is repeated after silence', async () => {
    await withS3Client(async (client, server) => {
      server.fail({ what: { delayMs: 5000 } });
      await client.put('a', TEXT);
      expect(server.state().counts.put).toBe(2);
    });
  });

  it.each(['cut-after', 'error-in-200'] as const)(
    'completes once when the completion ends with %s',
    async (what) => {
      await withS3Client(async (client, server) => {
        const upload = { name: 'big', uploadId: await client.createUpload('big') };
        const etag = await client.uploadPart(upload, 1, TEXT);
        server.fail({ kind: 'complete', what });
        await client.completeUpload(upload, [{ number: 1, etag, sizeBytes: 22 }]);
        expect(await textOf(client, 'big')).toBe('the bytes of an object');
        expect(server.state().counts.complete).toBe(2);
        const other = [{ number: 1, etag, sizeBytes: 23 }];
        await expect(client.completeUpload(upload, other)).rejects.toMatchObject({
          code: 'NoSuchUpload',
        });
      });
    },
  );

  it('is given up after the last try, as storage that cannot be used', async () => {
    await withS3Client(async (client, server) => {
      server.fail({ what: SLOW_DOWN, times: 6 });
      await expect(client.put('a', TEXT)).rejects.toMatchObject({
        ...SLOW_DOWN,
        failure: 'unavailable',
      });
      expect(server.state().counts.put).toBe(6);
      await server.stop();
      const error = await client.head('a').catch((reason) => reason);
      expect(error).toBeInstanceOf(S3Error);
      expect(error).toMatchObject({ status: null, failure: 'unavailable' });
    });
  });

  it('is not repeated when the bucket is full', async () => {
    await withS3Client(async (client, server) => {
      server.fail({ what: { status: 403, code: 'QuotaExceeded' } });
      await expect(client.put('a', TEXT)).rejects.toMatchObject({ failure: 'full' });
      expect(server.state().counts.put).toBe(1);
    });
  });

  it('ends at once when it is aborted', async () => {
    await withS3Client(
      async (client, server) => {
        server.fail({ what: SLOW_DOWN, times: 6 });
        const abort = new AbortController();
        const put = client.put('a', TEXT, abort.signal);
        setTimeout(() => abort.abort(new Error('enough')), 20);
        await expect(put).rejects.toThrow('enough');
        expect(server.state().counts.put).toBe(1);
      },
      { timing: { backoffMs: 60_000, retryForMs: 600_000 } },
    );
  });

  it('takes new credentials when the old ones have expired', async () => {
    await withS3Client(async (_, server) => {
      const fresh = { ...TEST_CREDENTIALS, sessionToken: 'fresh' };
      const old = { ...TEST_CREDENTIALS, sessionToken: 'old' };
      server.credentials.push(fresh, old);
      server.expiredTokens.add('old');
      let current = old;
      const reload = async () => {
        current = fresh;
        return current;
      };
      const client = createS3Client({
        location: testLocation(server),
        credentials: { current: async () => current, reload },
        timing: QUICK,
      });
      await client.put('a', TEXT);
      expect(server.state().objects).toHaveLength(1);
      server.expiredTokens.add('fresh');
      await expect(client.head('a')).rejects.toMatchObject({ failure: 'unavailable' });
      await client.close();
    });
  });

  it('does without the precondition where the store does not know it', async () => {
    await withS3Client(async (client, server) => {
      server.fail({ kind: 'put', what: { status: 501, code: 'NotImplemented' } });
      await client.put('a', TEXT);
      await client.put('a', bytesBody(Buffer.from('replaced')));
      expect(await textOf(client, 'a')).toBe('replaced');
    });
  });
});
