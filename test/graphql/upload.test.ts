import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type {
  CompleteUploadInput,
  UploadChunkInput,
  UploadFileInput,
} from '../../src/client/input.ts';
import { type TestApp, withApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import {
  AbortUploadDocument,
  CompleteUploadDocument,
  UploadChunkDocument,
  UploadFileDocument,
  UploadSessionDocument,
} from '../support/document.ts';
import { type GraphqlOptions, graphql, succeed } from '../support/graphql.ts';
import { makeJwt } from '../support/make.ts';

const FIXTURES = join(import.meta.dirname, '../support/fixture');
const SECRET = { TRIVIUM_JWT_SECRET: 'the-secret-of-the-tests' };

type WithoutFile<Input> = Omit<Input, 'chunk' | 'file'>;

async function sendChunk(
  app: TestApp,
  bytes: Uint8Array,
  input: WithoutFile<UploadChunkInput>,
  options: GraphqlOptions = {},
  filename = 'note.txt',
) {
  const files = { 'input.chunk': new File([Buffer.from(bytes)], filename) };
  const variables = { input: { ...input, chunk: null } };
  const answer = await graphql(app, UploadChunkDocument, variables, { ...options, files });
  return answer.data.uploadChunk;
}

async function complete(app: TestApp, input: CompleteUploadInput, options: GraphqlOptions = {}) {
  return (await graphql(app, CompleteUploadDocument, { input }, options)).data.completeUpload;
}

async function uploadFile(app: TestApp, file: File, input: WithoutFile<UploadFileInput> = {}) {
  const files = { 'input.file': file };
  const variables = { input: { ...input, file: null } };
  return (await graphql(app, UploadFileDocument, variables, { files })).data.uploadFile;
}

async function findSession(app: TestApp, uploadId: string, options: GraphqlOptions = {}) {
  const { data } = await graphql(app, UploadSessionDocument, { uploadId }, options);
  return data.uploadSession;
}

async function fixture(name: string) {
  const bytes = await readFile(join(FIXTURES, name));
  return { bytes, file: new File([bytes], name), md5: md5Of(bytes) };
}

function md5Of(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}

/** Lists the files in the blob directory, staged or stored. */
async function blobs(app: TestApp): Promise<string[]> {
  const entries = await readdir(join(app.dataDir, 'blobs'), {
    recursive: true,
    withFileTypes: true,
  });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

async function expectNothingStored(app: TestApp): Promise<void> {
  const { data } = await graphql(app, '{ medias { totalCount } }');
  expect(data.medias.totalCount).toBe(0);
}

describeEachBackend('uploads in GraphQL', (backend) => {
  test('a file uploaded in chunks can be downloaded unchanged', () =>
    withApp(backend, async (app) => {
      const { bytes, md5 } = await fixture('picture.png');
      const totalBytes = bytes.length;
      const head = bytes.subarray(0, 10);
      const first = succeed(
        await sendChunk(app, head, { offset: 0, totalBytes }, {}, 'picture.png'),
      );
      const { uploadId } = first.session;
      expect(first.session).toMatchObject({ offset: 10, sizeBytes: totalBytes });
      expect(uploadId).toMatch(/^[0-9a-f]{32}$/);

      const chunk = bytes.subarray(10);
      const last = { uploadId, offset: 10, totalBytes, md5: md5Of(chunk) };
      expect(succeed(await sendChunk(app, chunk, last)).session.offset).toBe(totalBytes);

      const { media } = succeed(await complete(app, { uploadId, md5: md5.toUpperCase() }));
      expect(media).toMatchObject({
        type: 'IMAGE',
        title: 'picture.png',
        image: { width: 20, height: 16 },
        file: { mimeType: 'image/png', sizeBytes: totalBytes, md5, extension: 'png' },
      });
      const back = await fetch(media.file!.url);
      expect(Buffer.from(await back.arrayBuffer()).equals(bytes)).toBe(true);
    }));

  test('a file uploaded in one request can be downloaded unchanged', () =>
    withApp(backend, async (app) => {
      const { bytes, file, md5 } = await fixture('photo-with-exif-rotation.jpg');
      const { media } = succeed(await uploadFile(app, file, { md5, title: 'Täglich 日' }));
      expect(media).toMatchObject({
        title: 'Täglich 日',
        name: 'Täglich 日',
        level: 0,
        // Stored as 40 × 30, with an orientation that rotates it.
        image: { width: 30, height: 40 },
        file: { md5, sha256: createHash('sha256').update(bytes).digest('hex') },
      });
      const back = await fetch(media.url!);
      expect(Buffer.from(await back.arrayBuffer()).equals(bytes)).toBe(true);
    }));

  test('a filename that a browser has escaped in its form is unescaped', () =>
    withApp(backend, async (app) => {
      const file = new File(['a note'], 'résumé "1" 日.txt');
      const { media } = succeed(await uploadFile(app, file));
      expect(media.name).toBe('résumé "1" 日.txt');
    }));

  test('folderId and tagIds place and tag the new media item', () =>
    withApp(backend, async (app) => {
      const asAdmin = { authorization: `Bearer ${app.adminKey}` };
      const { data } = await graphql(
        app,
        `mutation {
          createFolder(input: { name: "Design" }) { ... on CreateFolderSuccess { folder { id } } }
          b: createTag(input: { name: "b" }) { ... on CreateTagSuccess { tag { id } } }
          a: createTag(input: { name: "a" }) { ... on CreateTagSuccess { tag { id } } }
        }`,
        {},
        asAdmin,
      );
      const { media } = succeed(
        await uploadFile(app, (await fixture('note.txt')).file, {
          folderId: data.createFolder.folder.id,
          tagIds: [data.b.tag.id, data.a.tag.id],
        }),
      );
      expect(media).toMatchObject({
        type: 'FILE',
        level: 2,
        folder: { name: 'Design' },
        tags: [{ name: 'a' }, { name: 'b' }],
      });
    }));

  test('a chunk at a wrong offset is refused with the current offset', () =>
    withApp(backend, async (app) => {
      const bytes = Buffer.from('0123456789');
      const totalBytes = 10;
      const fresh = await sendChunk(app, bytes, { offset: 4, totalBytes });
      expect(fresh).toMatchObject({ __typename: 'OffsetMismatchError', offset: 0 });
      const { session } = succeed(
        await sendChunk(app, bytes.subarray(0, 4), { offset: 0, totalBytes }),
      );
      const { uploadId } = session;
      const again = await sendChunk(app, bytes, { uploadId, offset: 0, totalBytes });
      expect(again).toMatchObject({ __typename: 'OffsetMismatchError', offset: 4 });
    }));

  test('when two clients send the same chunk, one succeeds and the other gets the offset', () =>
    withApp(backend, async (app) => {
      const bytes = Buffer.alloc(100_000, 'x');
      const totalBytes = bytes.length;
      const { session } = succeed(
        await sendChunk(app, bytes.subarray(0, 1), { offset: 0, totalBytes }),
      );
      const { uploadId } = session;
      const racing = { uploadId, offset: 1, totalBytes };
      const answers = await Promise.all([
        sendChunk(app, bytes.subarray(1), racing),
        sendChunk(app, bytes.subarray(1), racing),
      ]);
      const names = answers.map(({ __typename }) => __typename).sort();
      expect(names).toEqual(['OffsetMismatchError', 'UploadChunkSuccess']);
      expect(answers).toContainEqual(expect.objectContaining({ offset: totalBytes }));
    }));

  test('a chunk that does not match its MD5 is not stored', () =>
    withApp(backend, async (app) => {
      const totalBytes = 4;
      const uploadId = await sendFirstChunk(app, totalBytes);
      const md5 = md5Of(Buffer.from('cd'));
      const input = { uploadId, offset: 2, totalBytes, md5 };
      const damaged = await sendChunk(app, Buffer.from('cx'), input);
      expect(damaged).toMatchObject({ __typename: 'DigestMismatchError', expected: md5 });
      expect(await findSession(app, uploadId)).toMatchObject({ offset: 2 });
    }));

  test.each([
    ['an empty chunk', 0, 4, { path: ['input', 'chunk'], code: 'EMPTY' }],
    ['a chunk past the end', 5, 4, { path: ['input', 'chunk'], code: 'PAST_END' }],
    ['an empty file', 0, 0, { path: ['input', 'totalBytes'], code: 'TOO_SMALL' }],
  ])('%s is refused and leaves nothing', (_name, sizeBytes, totalBytes, issue) =>
    withApp(backend, async (app) => {
      const answer = await sendChunk(app, Buffer.alloc(sizeBytes, 'x'), { offset: 0, totalBytes });
      expect(answer).toMatchObject({ __typename: 'InvalidInputError', issues: [issue] });
      expect(await blobs(app)).toEqual([]);
    }),
  );

  test('a chunk with another total size is refused', () =>
    withApp(backend, async (app) => {
      const first = succeed(await sendChunk(app, Buffer.from('ab'), { offset: 0, totalBytes: 4 }));
      const { uploadId } = first.session;
      const changed = { uploadId, offset: 2, totalBytes: 5 };
      expect(await sendChunk(app, Buffer.from('cd'), changed)).toMatchObject({
        __typename: 'InvalidInputError',
        issues: [{ path: ['input', 'totalBytes'], code: 'TOTAL_CHANGED' }],
      });
    }));

  test('completing with a wrong MD5, or too early, creates nothing', () =>
    withApp(backend, async (app) => {
      const totalBytes = 4;
      const uploadId = await sendFirstChunk(app, totalBytes);
      const md5 = md5Of(Buffer.from('abcd'));
      const early = await complete(app, { uploadId, md5 });
      expect(early).toMatchObject({ __typename: 'OffsetMismatchError', offset: 2 });
      await sendChunk(app, Buffer.from('cd'), { uploadId, offset: 2, totalBytes });
      const wrong = await complete(app, { uploadId, md5: '0'.repeat(32) });
      expect(wrong).toMatchObject({ __typename: 'DigestMismatchError', actual: md5 });
      await expectNothingStored(app);
      expect(await complete(app, { uploadId, md5 })).toHaveProperty('media');
    }));

  test('completing again, and a chunk after completion, return UploadCompletedError', () =>
    withApp(backend, async (app) => {
      const bytes = Buffer.from('text');
      const { session } = succeed(await sendChunk(app, bytes, { offset: 0, totalBytes: 4 }));
      const { uploadId } = session;
      const md5 = md5Of(bytes);
      expect(await complete(app, { uploadId, md5 })).toHaveProperty('media');
      const again = await complete(app, { uploadId, md5 });
      expect(again.__typename).toBe('UploadCompletedError');
      const late = await sendChunk(app, bytes, { uploadId, offset: 4, totalBytes: 4 });
      expect(late.__typename).toBe('UploadCompletedError');
    }));

  test('the session of another user is not found', () =>
    withApp(
      backend,
      async (app) => {
        const [alice, bob] = await Promise.all(
          ['alice', 'bob'].map(async (sub) => {
            const token = await makeJwt({ sub }, { secret: SECRET.TRIVIUM_JWT_SECRET });
            return { authorization: `Bearer ${token}` };
          }),
        );
        const bytes = Buffer.from('ab');
        const { session } = succeed(
          await sendChunk(app, bytes, { offset: 0, totalBytes: 4 }, alice),
        );
        const { uploadId } = session;
        const notFound = { __typename: 'NotFoundError', noun: 'upload', notFoundId: uploadId };
        const next = { uploadId, offset: 2, totalBytes: 4 };
        for (const other of [bob, {}]) {
          expect(await sendChunk(app, bytes, next, other)).toMatchObject(notFound);
          expect(await complete(app, { uploadId, md5: '0'.repeat(32) }, other)).toMatchObject(
            notFound,
          );
          expect(await findSession(app, uploadId, other)).toBeNull();
        }
        expect(await findSession(app, uploadId, alice)).toEqual({ offset: 2, sizeBytes: 4 });
      },
      SECRET,
    ));

  test('aborting deletes the session and its bytes', () =>
    withApp(backend, async (app) => {
      const { session } = succeed(
        await sendChunk(app, Buffer.from('ab'), { offset: 0, totalBytes: 4 }),
      );
      const input = { uploadId: session.uploadId };
      const { data } = await graphql(app, AbortUploadDocument, { input });
      expect(data.abortUpload).toMatchObject({ deletedId: session.id });
      expect(await blobs(app)).toEqual([]);
      const again = await graphql(app, AbortUploadDocument, { input });
      expect(again.data.abortUpload).toMatchObject({ code: 'NOT_FOUND' });
    }));

  test.each(['truncated.jpg', 'truncated.png', 'crc-broken.png', 'pixel-bomb.png'])(
    '%s is refused as an image and leaves nothing',
    (name) =>
      withApp(backend, async (app) => {
        const answer = await uploadFile(app, (await fixture(name)).file, { type: 'IMAGE' });
        expect(answer.__typename).toBe('UnsupportedMediaError');
        expect(await blobs(app)).toEqual([]);
        await expectNothingStored(app);
      }),
  );

  test('an HTML page declared as an image is refused', () =>
    withApp(backend, async (app) => {
      const page = new File(['<!doctype html><script>1</script>'], 'x.png', { type: 'image/png' });
      const answer = await uploadFile(app, page);
      expect(answer.__typename).toBe('UnsupportedMediaError');
      expect(await blobs(app)).toEqual([]);
    }));

  test('a file above the size limit of its type is refused with the limit', () =>
    withApp(
      backend,
      async (app) => {
        const image = await uploadFile(app, (await fixture('picture.png')).file);
        expect(image).toMatchObject({ __typename: 'TooLargeError', limit: 20 });
        const other = await uploadFile(app, new File(['x'.repeat(1001)], 'x.txt'));
        expect(other).toMatchObject({ __typename: 'TooLargeError', limit: 1000 });
        const input = { offset: 0, totalBytes: 1001 };
        const chunk = await sendChunk(app, Buffer.from('x'), input);
        expect(chunk).toMatchObject({ __typename: 'TooLargeError', limit: 1000 });
        expect(await blobs(app)).toEqual([]);
      },
      { TRIVIUM_IMAGE_BYTES_MAX: '20', TRIVIUM_FILE_BYTES_MAX: '1000' },
    ));

  test('an unknown folder or tag is refused, and nothing is stored', () =>
    withApp(backend, async (app) => {
      const { file } = await fixture('note.txt');
      const folderId = Buffer.from('Folder:999').toString('base64url');
      const noFolder = await uploadFile(app, file, { folderId });
      expect(noFolder).toMatchObject({ __typename: 'NotFoundError', noun: 'folder' });
      const noTag = await uploadFile(app, file, { tagIds: [folderId] });
      expect(noTag).toMatchObject({
        issues: [{ path: ['input', 'tagIds', '0'], code: 'INVALID_ID' }],
      });
      expect(await blobs(app)).toEqual([]);
      await expectNothingStored(app);
    }));

  test('a client that disconnects during an upload leaves nothing', () =>
    withApp(backend, async (app) => {
      const controller = new AbortController();
      const form = [
        '--b\r\ncontent-disposition: form-data; name="operations"\r\n\r\n',
        JSON.stringify({ query: UploadFileDocument, variables: { input: { file: null } } }),
        '\r\n--b\r\ncontent-disposition: form-data; name="map"\r\n\r\n{"0":["variables.input.file"]}',
        '\r\n--b\r\ncontent-disposition: form-data; name="0"; filename="x.txt"\r\n\r\n',
      ].join('');
      const body = new ReadableStream({
        start: (stream) => stream.enqueue(Buffer.from(form)),
        async pull(stream) {
          stream.enqueue(Buffer.alloc(64 * 1024, 'x'));
          if ((await blobs(app)).length > 0) controller.abort();
        },
      });
      const request = fetch(`${app.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'multipart/form-data; boundary=b', 'x-graphql-yoga-csrf': '1' },
        body,
        // Node's fetch requires it, but its types lack it.
        ...{ duplex: 'half' },
        signal: controller.signal,
      });
      await expect(request).rejects.toThrow();
      await expect.poll(() => blobs(app)).toEqual([]);
      await expectNothingStored(app);
    }));

  test('if a credential is required, an anonymous upload is refused before its bytes are kept', () =>
    withApp(
      backend,
      async (app) => {
        const answer = await uploadFile(app, (await fixture('note.txt')).file);
        expect(answer.__typename).toBe('NotAuthenticatedError');
        const chunk = await sendChunk(app, Buffer.from('x'), { offset: 0, totalBytes: 1 });
        expect(chunk.__typename).toBe('NotAuthenticatedError');
        expect(await blobs(app)).toEqual([]);
      },
      { TRIVIUM_AUTH: 'required' },
    ));
});

/** Sends the bytes `ab` as a first chunk. Returns the id of the upload session. */
async function sendFirstChunk(app: TestApp, totalBytes: number): Promise<string> {
  const sent = await sendChunk(app, Buffer.from('ab'), { offset: 0, totalBytes });
  return succeed(sent).session.uploadId;
}
