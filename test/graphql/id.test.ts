import { expect, test } from 'vitest';
import { type TestApp, withApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { graphql } from '../support/graphql.ts';
import { makeFolder, makeMediaRow } from '../support/make.ts';

const ISSUES = '__typename ... on InvalidInputError { issues { path code } }';

function globalId(text: string): string {
  return Buffer.from(text).toString('base64url');
}

async function mutate(app: TestApp, field: string) {
  const authorization = `Bearer ${app.adminKey}`;
  const query = `mutation { result: ${field} { ${ISSUES} } }`;
  const { data, errors } = await graphql(app, query, {}, { authorization });
  expect(errors).toBeUndefined();
  return data.result;
}

describeEachBackend('global ids', (backend) => {
  test.each([
    ['createFolder(input: { name: "A", parentId: "junk" })', ['parentId']],
    ['createFolder(input: { name: "A", parentId: "" })', ['parentId']],
    [`moveNodes(input: { ids: ["${globalId('Media:1')}", "junk"] })`, ['ids', '1']],
    [`moveNodes(input: { ids: ["${globalId('Media:1')}"], parentId: "" })`, ['parentId']],
    [`deleteNodes(input: { ids: ["${globalId('Tag:1')}"] })`, ['ids', '0']],
    [
      `restoreNodes(input: { ids: ["${globalId('Folder:1')}", "${globalId('Tag:1')}"] })`,
      ['ids', '1'],
    ],
    [`updateMedias(input: { ids: ["${globalId('Folder:1')}"] })`, ['ids', '0']],
    [`placeNodes(input: { ids: ["${globalId('Media:1')}"], afterId: "junk" })`, ['afterId']],
    ['createMedia(input: { type: URL, url: "https://a.b", folderId: "" })', ['folderId']],
    [`tagMedia(input: { mediaIds: [], addTagIds: ["junk"] })`, ['addTagIds', '0']],
    [`tagMedia(input: { mediaIds: ["${globalId('Tag:1')}"] })`, ['mediaIds', '0']],
    ['importUrl(input: { url: "https://a.b/c", folderId: "" })', ['folderId']],
  ])('%s fails and names the field with the malformed id', (field, path) =>
    withApp(backend, async (app) => {
      expect(await mutate(app, field)).toEqual({
        __typename: 'InvalidInputError',
        issues: [{ path: ['input', ...path], code: 'INVALID_ID' }],
      });
    }),
  );

  test.each([
    '{ folder(by: { id: "" }) { id } }',
    '{ medias(filter: { folderId: "" }) { totalCount } }',
    '{ medias(filter: { underFolderId: "" }) { totalCount } }',
    '{ medias(filter: { ids: [""] }) { totalCount } }',
    '{ jobs(filter: { mediaId: "" }) { totalCount } }',
  ])('%s fails instead of listing everything', (query) =>
    withApp(backend, async (app) => {
      const headers = { authorization: `Bearer ${app.adminKey}` };
      const { errors } = await graphql(app, query, {}, headers);
      expect(errors).toMatchObject([{ extensions: { code: 'INVALID_INPUT' } }]);
    }),
  );

  test('a key that is a number in another notation identifies no node', () =>
    withApp(backend, async (app) => {
      const id = await makeFolder(app.services.db, {});
      const ids = [`${id}`, `${id}.0`, ` ${id}`, `0${id}`, `0x${id}`, `+${id}`];
      const { data } = await graphql(app, 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', {
        ids: ids.map((text) => globalId(`Folder:${text}`)),
      });
      expect(data.nodes).toEqual([{ id: globalId(`Folder:${id}`) }, null, null, null, null, null]);
    }));

  test('the id of a node with the name of the other kind identifies no node', () =>
    withApp(backend, async (app) => {
      const folder = await makeFolder(app.services.db, {});
      const media = await makeMediaRow(app.services.db, {
        parent_id: folder,
        path: `/1/${folder}/`,
      });
      const [asMedia, asFolder] = [globalId(`Media:${folder}`), globalId(`Folder:${media}`)];
      for (const field of [
        `deleteNodes(input: { ids: ["${asMedia}"], recursive: true })`,
        `deleteNodes(input: { ids: ["${globalId(`Media:${media}`)}", "${asFolder}"] })`,
        `moveNodes(input: { ids: ["${asFolder}"] })`,
        `placeNodes(input: { ids: ["${asMedia}"] })`,
      ]) {
        expect(await mutate(app, field)).toEqual({ __typename: 'NotFoundError' });
      }
      await mutate(
        app,
        `deleteNodes(input: { ids: ["${globalId(`Folder:${folder}`)}"], recursive: true })`,
      );
      const restored = await mutate(app, `restoreNodes(input: { ids: ["${asMedia}"] })`);
      expect(restored).toEqual({ __typename: 'NotFoundError' });
    }));
});
