import { expect, test } from 'vitest';
import { encodeGlobalId } from '../../src/graphql/id.ts';
import { describeEachBackend } from '../support/backend.ts';
import { graphql } from '../support/graphql.ts';
import { makeFolder, makeMediaRow } from '../support/make.ts';
import { shareApp } from '../support/shared-app.ts';
import { as, call } from './viewer/credential.ts';

const ABSENT = 99_999_999;
const idOf = (type: string, id = ABSENT) => encodeGlobalId(type, id);

describeEachBackend('an error', (backend) => {
  const shared = shareApp(backend);

  test.each<[mutation: string, input: Record<string, unknown>, sent: string]>([
    ['deleteMedia', { id: idOf('Media') }, idOf('Media')],
    // As it was sent: other encodings of the same id are accepted.
    ['deleteMedia', { id: `${idOf('Media')}==` }, `${idOf('Media')}==`],
    ['updateMedia', { id: idOf('Media'), title: 'x' }, idOf('Media')],
    ['createFolder', { name: 'a', parentId: idOf('Folder') }, idOf('Folder')],
    ['updateFolder', { id: idOf('Folder'), name: 'a' }, idOf('Folder')],
    ['deleteFolder', { id: idOf('Folder') }, idOf('Folder')],
    ['moveNodes', { ids: [idOf('Folder')] }, idOf('Folder')],
    ['deleteNodes', { ids: [idOf('Media')] }, idOf('Media')],
    ['restoreNodes', { ids: [idOf('Media')] }, idOf('Media')],
    ['tagMedia', { mediaIds: [], addTagIds: [idOf('Tag')] }, idOf('Tag')],
    ['updateTag', { id: idOf('Tag'), name: 'a' }, idOf('Tag')],
    ['deleteTag', { id: idOf('Tag') }, idOf('Tag')],
    ['signalJob', { id: idOf('Job'), signal: 'CANCEL' }, idOf('Job')],
    ['revokeApiKey', { id: idOf('ApiKey') }, idOf('ApiKey')],
    ['createApiKey', { name: 'a', role: 'READER', startNodeIds: [idOf('Folder')] }, idOf('Folder')],
    ['updateUser', { id: idOf('User'), role: 'READER' }, idOf('User')],
    ['deleteUser', { id: idOf('User') }, idOf('User')],
    ['abortUpload', { uploadId: 'a'.repeat(32) }, 'a'.repeat(32)],
  ])('of %s(%j) names what was not found by the id that was sent', async (name, input, sent) => {
    const type = name.charAt(0).toUpperCase() + name.slice(1);
    const query = `mutation ($input: ${type}Input!) { result: ${name}(input: $input) {
      ... on NotFoundError { notFoundId message } ... on Error { code } } }`;
    const { data } = await graphql(shared(), query, { input }, as(shared()));
    const message = expect.stringContaining(`"${sent}"`);
    expect(data.result).toEqual({ code: 'NOT_FOUND', notFoundId: sent, message });
  });

  test('of a version names the version, and not the media item with the same number', async () => {
    const mediaId = await makeMediaRow(shared().services.db);
    const input = { mediaId: idOf('Media', mediaId), versionId: idOf('FileVersion', mediaId) };
    const query = `mutation ($input: RestoreVersionInput!) { restoreVersion(input: $input) {
      ... on NotFoundError { noun notFoundId } } }`;
    const { data } = await graphql(shared(), query, { input }, as(shared()));
    expect(data.restoreVersion).toEqual({ noun: 'version', notFoundId: input.versionId });
  });

  test.each([
    ['medias(first: 201) { totalCount }', ['first']],
    ['medias(after: "x") { totalCount }', ['after']],
    ['medias(filter: { folderId: "x" }) { totalCount }', ['filter', 'folderId']],
    ['medias(filter: { ids: ["x"] }) { totalCount }', ['filter', 'ids', 0]],
    [`medias(filter: { search: "${'a '.repeat(11)}" }) { totalCount }`, ['filter', 'search']],
    ['folders(filter: { parentId: "x" }) { totalCount }', ['filter', 'parentId']],
    ['tags(filter: { search: "a b c d e f g h i j k" }) { totalCount }', ['filter', 'search']],
    ['jobs(filter: { mediaId: "x" }) { totalCount }', ['filter', 'mediaId']],
    ['auditLog(filter: { targetId: "x" }) { totalCount }', ['filter', 'targetId']],
    ['media(by: { id: "x" }) { id }', ['by', 'id']],
    ['node(id: "x") { id }', ['id']],
    ['nodes(ids: ["VGFnOjE", "x"]) { id }', ['ids', 1]],
    ['nodes(ids: "x") { id }', ['ids', 0]],
  ])('of { %s } has the whole path from the argument', async (field, path) => {
    const { errors } = await graphql(
      shared(),
      `{ ...F } fragment F on Query { a: ${field} }`,
      {},
      as(shared()),
    );
    expect(errors).toMatchObject([
      {
        message: expect.stringMatching(`^${path.join('\\.')}: `),
        extensions: { code: 'INVALID_INPUT', issues: [{ path }] },
      },
    ]);
  });

  test('of a list in a list, and of a variable, has it as well', async () => {
    const id = idOf('Folder', await makeFolder(shared().services.db));
    const { errors } = await graphql(
      shared(),
      `query ($id: ID!, $filter: MediaFilter) {
        node(id: $id) { ... on Folder { medias(filter: $filter) { totalCount nodes { id } } } } }`,
      { id, filter: { tagIds: ['x'] } },
      as(shared()),
    );
    const issues = [{ path: ['filter', 'tagIds', 0], code: 'INVALID_ID' }];
    expect(errors?.[0]).toMatchObject({ extensions: { issues } });
  });

  test('of a mutation has it too, also from the rules of the domain', async () => {
    const paths = async (name: string, input: Record<string, unknown>) =>
      (await call(shared(), name, input, '__typename')).issues.map(
        ({ path }: { path: string[] }) => path,
      );
    expect(await paths('createFolder', { name: '' })).toEqual([['input', 'name']]);
    expect(await paths('moveNodes', { ids: ['x'] })).toEqual([['input', 'ids', '0']]);
  });
});
