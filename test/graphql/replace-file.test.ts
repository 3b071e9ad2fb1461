import { expect, test } from 'vitest';
import { type TestApp, withApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { fixtureBytes, PNG } from '../support/bytes.ts';
import { graphql } from '../support/graphql.ts';
import { makeFolder, makeJwt, makeMediaRow, makeTag } from '../support/make.ts';

const SECRET = { TRIVIUM_JWT_SECRET: 'the-secret-of-the-tests' };
const PDF = fixtureBytes('document.pdf');
const MEDIA = 'id uuid type url tags { name } folder { id } file { filename sizeBytes uuid }';
const REPLACE = `mutation ($input: ReplaceFileInput!) { replaceFile(input: $input) {
  __typename ... on Error { code } ... on InvalidInputError { issues { path code } }
  ... on ReplaceFileSuccess { media { ${MEDIA} } } } }`;

function bearer(sub: string): Promise<string> {
  return makeJwt({ sub }, { secret: SECRET.TRIVIUM_JWT_SECRET }).then((jwt) => `Bearer ${jwt}`);
}

function globalId(type: string, id: number): string {
  return Buffer.from(`${type}:${id}`).toString('base64url');
}

async function upload(app: TestApp, input: object) {
  const query = `mutation ($input: UploadFileInput!) { uploadFile(input: $input) {
    ... on UploadFileSuccess { media { ${MEDIA} } } } }`;
  const files = { 'input.file': new File([new Uint8Array(PNG)], 'picture.png') };
  const options = { files, authorization: await bearer('alice') };
  const { data } = await graphql(app, query, { input: { ...input, file: null } }, options);
  return data.uploadFile.media;
}

async function replace(app: TestApp, input: object, user: string | null = 'alice') {
  const files = { 'input.file': new File([new Uint8Array(PDF)], 'new.pdf') };
  const authorization = user === null ? {} : { authorization: await bearer(user) };
  const variables = { input: { ...input, file: null } };
  const { data } = await graphql(app, REPLACE, variables, { files, ...authorization });
  return data.replaceFile;
}

describeEachBackend('replaceFile', (backend) => {
  test('replaces the file of a media item, and keeps its folder, tags and other fields', () =>
    withApp(
      backend,
      async (app) => {
        const folderId = globalId('Folder', await makeFolder(app.services.db));
        const tagIds = [globalId('Tag', (await makeTag(app.services.db)).id)];
        const before = await upload(app, { folderId, tagIds });
        const { media } = await replace(app, { id: before.id });
        const file = { ...before.file, filename: 'new.pdf', sizeBytes: PDF.length };
        const url = before.url.replace('picture.png', 'new.pdf');
        expect(media).toEqual({ ...before, type: 'DOCUMENT', url, file });
        for (const one of [url, before.url]) {
          expect(Buffer.from(await (await fetch(one)).arrayBuffer())).toEqual(Buffer.from(PDF));
        }
      },
      SECRET,
    ));

  test('keeps the old file and no new bytes if it fails', () =>
    withApp(
      backend,
      async (app) => {
        const { db, blobs } = app.services;
        const before = await upload(app, {});
        const link = await makeMediaRow(db, { type: 'url', owner: 'alice' });
        const md5 = '0'.repeat(32);
        const answers = [
          await replace(app, { id: before.id, md5 }),
          await replace(app, { id: before.id, md5: 'x' }),
          await replace(app, { id: before.id }, 'eve'),
          await replace(app, { id: before.id }, null),
          await replace(app, { id: globalId('Media', 999) }),
          await replace(app, { id: globalId('Folder', 1) }),
          await replace(app, { id: globalId('Media', link) }),
        ];
        expect(answers).toMatchObject([
          { code: 'DIGEST_MISMATCH' },
          { issues: [{ path: ['input', 'md5'] }] },
          { code: 'FORBIDDEN' },
          { code: 'NOT_AUTHENTICATED' },
          { code: 'NOT_FOUND' },
          { issues: [{ path: ['input', 'id'], code: 'INVALID_ID' }] },
          { issues: [{ path: ['input', 'file'], code: 'NO_FILE' }] },
        ]);
        expect(Buffer.from(await (await fetch(before.url)).arrayBuffer())).toEqual(
          Buffer.from(PNG),
        );
        expect(await Array.fromAsync(blobs.list())).toHaveLength(1);
      },
      SECRET,
    ));
});
