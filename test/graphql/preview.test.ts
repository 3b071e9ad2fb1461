import sharp from 'sharp';
import { expect, test, vi } from 'vitest';
import { type TestApp, withApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { fixtureBytes } from '../support/bytes.ts';
import { graphql } from '../support/graphql.ts';
import { asAdmin } from '../support/private-media.ts';
import { file as toFile } from '../support/request.ts';
import { shareApp } from '../support/shared-app.ts';

const FIELDS = `type preview { url width height srcset(widths: [16]) focalPoint { left } } previewError
  thumbnail { width height } files { key } image { url }`;

async function upload(app: TestApp, name: string, bytes = fixtureBytes(name)): Promise<string> {
  const query = `mutation ($input: UploadFileInput!) { uploadFile(input: $input) {
    ... on UploadFileSuccess { media { id } } } }`;
  const options = { ...asAdmin(app), files: { 'input.file': toFile(name, bytes) } };
  const input = { file: null, visibility: 'PRIVATE', focalPoint: { left: 0.25, top: 0.5 } };
  const { data } = await graphql(app, query, { input }, options);
  return data.uploadFile.media.id;
}

async function mediaOf(app: TestApp, id: string) {
  const query = `{ node(id: "${id}") { ... on Media { ${FIELDS} } } }`;
  const { data, errors } = await graphql(app, query, {}, asAdmin(app));
  expect(errors).toBeUndefined();
  return data.node;
}

describeEachBackend('Media.preview', (backend) => {
  const shared = shareApp(backend, { TRIVIUM_JOB_CONCURRENCY: '2', TRIVIUM_AUTH: 'required' });

  test('is an image of each file that a decoder draws, with a thumbnail', async () => {
    const app = shared();
    const sizes = {
      'phone.heic': [64, 96],
      'drawing.svg': [1024, 1024],
      'document.pdf': [1600, 800],
    };
    for (const [name, [width, height]] of Object.entries(sizes)) {
      const id = await upload(app, name);
      const media = await vi.waitUntil(
        async () => {
          const media = await mediaOf(app, id);
          return media.preview && media.thumbnail ? media : null;
        },
        { timeout: 60_000 },
      );
      expect(media.preview).toMatchObject({ width, height, focalPoint: { left: 0.25 } });
      expect(media.previewError).toBeNull();
      // Signed, because the media item is private.
      const response = await fetch(media.preview.url);
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/webp']);
      const [smaller] = media.preview.srcset.split(' ');
      const rendition = sharp(Buffer.from(await (await fetch(smaller)).arrayBuffer()));
      expect(await rendition.metadata()).toMatchObject({ format: 'webp', width: 16 });
      expect(media.files.map(({ key }: { key: string }) => key).sort()).toEqual([
        '',
        'preview.webp',
        'thumbnail.webp',
      ]);
    }
  });

  test('is the original of an image that the server renders, at once', async () => {
    const { preview, previewError, image } = await mediaOf(
      shared(),
      await upload(shared(), 'picture.png'),
    );
    expect(preview).toMatchObject({ width: 20, height: 16 });
    expect(new URL(preview.url).pathname).toBe(new URL(image.url).pathname);
    expect(previewError).toBeNull();
  });

  test('is null for a file that is not drawn, and for one that cannot be, with the reason', async () => {
    const app = shared();
    expect(await mediaOf(app, await upload(app, 'note.txt'))).toMatchObject({
      ...{ preview: null, previewError: null },
    });
    const id = await upload(app, 'half.pdf', fixtureBytes('document.pdf').subarray(0, 60));
    const reason = async () => (await mediaOf(app, id)).previewError;
    expect(await vi.waitUntil(reason, { timeout: 60_000 })).toBe('The document is damaged.');
    expect((await mediaOf(app, id)).preview).toBeNull();
  });

  test('costs a list the statement that reads files', () =>
    withApp(backend, async (app) => {
      await upload(app, 'document.pdf');
      const count = async (selection: string) => {
        app.statements.length = 0;
        const query = `{ medias(first: 5) { nodes { id ${selection} } } }`;
        expect((await graphql(app, query, {}, asAdmin(app))).errors).toBeUndefined();
        return app.statements.length;
      };
      const files = await count('files { key }');
      expect(await count('preview { url width } previewError thumbnail { url }')).toBe(files);
    }));

  test('needs a decoder: a server without one says so, at the item and in storageUsage', () =>
    withApp(
      backend,
      async (app) => {
        const id = await upload(app, 'document.pdf');
        const query = '{ storageUsage { previewDecoders { name isAvailable reason } } }';
        const { data } = await graphql(app, query, {}, asAdmin(app));
        const reason = 'Turned off by the settings of the server.';
        expect(data.storageUsage.previewDecoders.slice(0, 3)).toEqual([
          { name: 'heic', isAvailable: false, reason },
          { name: 'svg', isAvailable: true, reason: null },
          { name: 'pdf', isAvailable: false, reason },
        ]);
        expect((await mediaOf(app, id)).previewError).toBe(`No decoder (pdf): ${reason}`);
        const jobs = await app.services.db.selectFrom('job').select('job_class').execute();
        expect(jobs).not.toContainEqual({ job_class: 'draw-preview' });
      },
      { TRIVIUM_PREVIEW_DECODERS: 'svg' },
    ));
});
