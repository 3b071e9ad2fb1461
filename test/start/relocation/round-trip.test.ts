import { expect, it } from 'vitest';
import { createApp } from '../../../src/start/app.ts';
import { parseConfig } from '../../../src/start/config.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { md5Of } from '../../support/bytes.ts';
import { runInProcess } from '../../support/command.ts';
import {
  asAdmin,
  dumpDatabase,
  fsck,
  moveArgs,
  otherThan,
  type Place,
  seedLibrary,
  withPlace,
} from '../../support/move.ts';

/** Items of the library that moves; 20,000 with `TRIVIUM_TEST_MOVE_ITEMS=20000`. */
const ITEMS = Number(process.env.TRIVIUM_TEST_MOVE_ITEMS || 200);

const UPLOAD = `mutation ($input: UploadFileInput!) { uploadFile(input: $input) {
  ... on UploadFileSuccess { media { id } } ... on Error { message } } }`;
const REPLACE = `mutation ($input: ReplaceFileInput!) { replaceFile(input: $input) { __typename } }`;
const DELETE = `mutation ($input: DeleteMediaInput!) { deleteMedia(input: $input) { __typename } }`;
const TAG = `mutation ($input: CreateTagInput!) { createTag(input: $input) { ... on CreateTagSuccess { tag { id } } } }`;
const KEY = `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { __typename } }`;
const USER = `mutation ($input: CreateUserInput!) { createUser(input: $input) { __typename } }`;
const CHUNK = `mutation ($input: UploadChunkInput!) { uploadChunk(input: $input) {
  ... on UploadChunkSuccess { session { uploadId offset } } ... on Error { message } } }`;
const COMPLETE = `mutation ($input: CompleteUploadInput!) { completeUpload(input: $input) {
  ... on CompleteUploadSuccess { media { file { md5 sizeBytes } } } ... on Error { message } } }`;
const SEARCH = `query { medias(filter: { search: "zweiundvierzig" }, first: 5) { nodes { name } totalCount } }`;

/** Runs `work` with a server in this process. */
async function withServer<T>(
  place: Place,
  work: (server: { url: string }) => Promise<T>,
): Promise<T> {
  const variables = {
    TRIVIUM_PORT: '0',
    TRIVIUM_LOG_LEVEL: 'silent',
    TRIVIUM_JOB_CONCURRENCY: '0',
  };
  const app = await createApp(parseConfig({ ...place, ...variables }));
  try {
    return await work({ url: await app.start() });
  } finally {
    await app.stop();
  }
}

const PARTS = ['the first part, ', 'and the second one'];
const totalBytes = PARTS.join('').length;

/** Writes rows of as many kinds as possible. Returns the id of an upload session that has its first part. */
function useLibrary(place: Place): Promise<string> {
  return withServer(place, async (server) => {
    const file = (text: string) => ({
      file: new File([text], 'zweiundvierzig “ünïcode” \u2028.txt'),
    });
    const tag = await asAdmin(server, TAG, { name: 'föö' });
    expect(tag.errors).toBeUndefined();
    const tagIds = [tag.data.createTag.tag.id];
    const ids: string[] = [];
    for (const text of ['one', 'two', 'three']) {
      const metadata = { quote: '"\\', big: 2 ** 53 - 1, half: 0.1 + 0.2 };
      const { data, errors } = await asAdmin(server, UPLOAD, { metadata, tagIds }, file(text));
      expect(errors).toBeUndefined();
      ids.push(data.uploadFile.media.id);
    }
    await asAdmin(server, REPLACE, { id: ids[0] }, file('four'));
    await asAdmin(server, DELETE, { id: ids[1] });
    await asAdmin(server, KEY, { name: 'a key' });
    await asAdmin(server, USER, { name: 'Ünal', password: 'correct horse' });
    const { data } = await asAdmin(server, CHUNK, { offset: 0, totalBytes }, chunk(0));
    return data.uploadChunk.session.uploadId;
  });
}

function chunk(index: number) {
  return { chunk: new File([PARTS[index]!], 'parts.txt') };
}

async function move(from: Place, to: Place): Promise<void> {
  const { code, errors } = await runInProcess(moveArgs(from, to), from);
  expect([code, errors]).toEqual([0, '']);
}

describeEachBackend(`a library of ${ITEMS} items`, (backend) => {
  const seconds = 60 + ITEMS / 10;

  it(
    'is equal after it has moved to the other database and back',
    { timeout: seconds * 1000 },
    () =>
      withPlace(backend, (first) =>
        withPlace(otherThan(backend), (second) =>
          withPlace(backend, async (third) => {
            await seedLibrary(first, ITEMS);
            const uploadId = await useLibrary(first);
            const before = await dumpDatabase(first);
            await move(first, second);
            expect(await dumpDatabase(second)).toEqual(before);
            expect(await fsck(second)).toBe('');
            await move(second, third);
            expect(await dumpDatabase(third)).toEqual(before);
            expect(await fsck(third)).toBe('');
            await withServer(third, (server) => goOn(server, uploadId));
            expect(await fsck(third)).toBe('');
          }),
        ),
      ),
  );

  it('moves within one database system', { timeout: 60_000 }, () =>
    withPlace(backend, (first) =>
      withPlace(backend, async (second) => {
        await seedLibrary(first, 200);
        const before = await dumpDatabase(first);
        await move(first, second);
        expect(await dumpDatabase(second)).toEqual(before);
        expect(await fsck(second)).toBe('');
      }),
    ),
  );
});

/** Completes the upload session, and finds and creates media: the search index and new ids work. */
async function goOn(server: { url: string }, uploadId: string): Promise<void> {
  const offset = PARTS[0]!.length;
  const sent = await asAdmin(server, CHUNK, { uploadId, offset, totalBytes }, chunk(1));
  expect(sent.data.uploadChunk.session.offset).toBe(totalBytes);
  const md5 = md5Of(Buffer.from(PARTS.join('')));
  const { data } = await asAdmin(server, COMPLETE, { uploadId, md5 });
  expect(data.completeUpload.media.file).toEqual({ md5, sizeBytes: totalBytes });
  const found = await asAdmin(server, SEARCH);
  expect(found.data.medias.totalCount).toBe(2);
}
