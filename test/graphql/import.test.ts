import { describe, expect, it, vi } from 'vitest';
import { BACKENDS } from '../support/backend.ts';
import { PNG } from '../support/bytes.ts';
import { graphql } from '../support/graphql.ts';
import { shareApp } from '../support/shared-app.ts';
import { type Answer, withSite } from '../support/site.ts';

const IMPORT = `mutation ($input: ImportUrlInput!) { importUrl(input: $input) { __typename
  ... on ImportUrlSuccess { job { id jobClass status arguments } }
  ... on InvalidInputError { issues { path } } ... on Error { code } } }`;

describe('a server whose configuration allows a host', () => {
  const app = shareApp(BACKENDS[0]!, {
    TRIVIUM_JOB_CONCURRENCY: '2',
    TRIVIUM_OUTBOUND_ALLOWED_HOSTS: '127.0.0.1',
  });
  const ask = async (query: string, variables: Record<string, unknown> = {}) => {
    const authorization = `Bearer ${app().adminKey}`;
    const { data, errors } = await graphql(app(), query, variables, { authorization });
    expect(errors).toBeUndefined();
    return data;
  };

  it('importUrl imports a file, and the result of the job names the media item', async () => {
    const folder = `mutation { createFolder(input: { name: "Imported" }) {
      ... on CreateFolderSuccess { folder { id } } } }`;
    const folderId = (await ask(folder)).createFolder.folder.id;
    await withSite(picture, async ({ url }) => {
      const input = { url: `${url}/a.png`, filename: 'b.png', folderId };
      const { importUrl } = await ask(IMPORT, { input });
      expect(importUrl).toMatchObject({
        __typename: 'ImportUrlSuccess',
        job: { jobClass: 'import-url', arguments: { url: `${url}/a.png`, filename: 'b.png' } },
      });
      const { node } = await completed(importUrl.job.id);
      const { media } = await ask(
        `query ($uuid: UUID!) { media(by: { uuid: $uuid }) {
        name type folder { id } file { sizeBytes } jobs { nodes { id jobClass } }
        history { nodes { action actor { id } } } } }`,
        {
          uuid: node.result.media_uuid,
        },
      );
      expect(media).toMatchObject({
        name: 'b.png',
        type: 'IMAGE',
        folder: { id: folderId },
        file: { sizeBytes: PNG.length },
      });
      expect(media.jobs.nodes).toContainEqual({ id: importUrl.job.id, jobClass: 'import-url' });
      // The actor is who started the job.
      expect(media.history.nodes).toEqual([{ action: 'CREATE', actor: { id: 'key:admin' } }]);
    });
  });

  it('a background job fetches the page of a new link', async () => {
    const html = '<meta property="og:image" content="/1.png"><title>A page</title>';
    await withSite(
      (_request, response) => void response.end(html),
      async ({ url }) => {
        const { createMedia } = await ask(
          `mutation ($url: URL!) {
        createMedia(input: { type: URL, url: $url }) { ... on CreateMediaSuccess { media { id } } } }`,
          { url },
        );
        await vi.waitFor(async () => {
          const query =
            'query ($id: ID!) { media(by: { id: $id }) { title choiceImages image { url } } }';
          const { media } = await ask(query, { id: createMedia.media.id });
          const picture = `${url}/1.png`;
          expect(media).toEqual({
            title: 'A page',
            choiceImages: [picture],
            image: { url: picture },
          });
        });
      },
    );
  });

  it.each([
    [
      { url: 'https://me:secret@example.org/' },
      { code: 'INVALID_INPUT', issues: [{ path: ['input', 'url'] }] },
    ],
    [
      { url: 'https://example.org/', folderId: globalId('Folder', 999) },
      { __typename: 'NotFoundError' },
    ],
    [
      { url: 'https://example.org/', tagIds: [globalId('Tag', 999)] },
      { __typename: 'NotFoundError' },
    ],
    [
      { url: 'https://example.org/', tagIds: [globalId('Media', 1)] },
      { issues: [{ path: ['input', 'tagIds', '0'] }] },
    ],
  ])('importUrl of %o is refused', async (input, error) => {
    expect((await ask(IMPORT, { input })).importUrl).toMatchObject(error);
  });

  const completed = (id: string) =>
    vi.waitFor(async () => {
      const data = await ask(
        'query ($id: ID!) { node(id: $id) { ... on Job { status result error } } }',
        { id },
      );
      expect(data.node).toMatchObject({ status: 'COMPLETED', error: null });
      return data;
    });
});

const picture: Answer = (_request, response) =>
  void response.writeHead(200, { 'content-type': 'image/png' }).end(PNG);

function globalId(type: string, id: number): string {
  return Buffer.from(`${type}:${id}`).toString('base64url');
}
