import { expect, test, vi } from 'vitest';
import { type TestApp, withApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { fixtureBytes } from '../support/bytes.ts';
import { type GraphqlOptions, graphql } from '../support/graphql.ts';
import { asAdmin } from '../support/private-media.ts';
import { file as toFile } from '../support/request.ts';
import { shareApp } from '../support/shared-app.ts';

const ALL = `takenAt camera lens exposure iso latitude longitude altitudeM width height durationMs frameRate videoCodec audioCodec
  bitRate pageCount textSnippet author copyright`;

async function upload(app: TestApp, name: string): Promise<string> {
  const query = `mutation ($input: UploadFileInput!) { uploadFile(input: $input) {
    ... on UploadFileSuccess { media { id details { camera } } } } }`;
  const options = {
    ...asAdmin(app),
    files: { 'input.file': toFile(name, fixtureBytes(name)) },
  };
  const input = { file: null, visibility: 'PUBLIC' };
  const { data } = await graphql(app, query, { input }, options);
  return data.uploadFile.media.id;
}

async function detailsOf(app: TestApp, id: string, sender: GraphqlOptions) {
  const query = `{ node(id: "${id}") { ... on Media { details { ${ALL} } } } }`;
  const { data, errors } = await graphql(app, query, {}, sender);
  expect(errors).toBeUndefined();
  return data.node.details;
}

describeEachBackend('Media.details', (backend) => {
  const shared = shareApp(backend, { TRIVIUM_JOB_CONCURRENCY: '2', TRIVIUM_AUTH: 'required' });

  test('are read by jobs, and hide the place from viewers without a credential', async () => {
    const app = shared();
    const [photo, video, note] = [
      await upload(app, 'photo-with-details.jpg'),
      await upload(app, 'phone.mov'),
      await upload(app, 'note.txt'),
    ];
    await vi.waitUntil(async () => await detailsOf(app, photo, asAdmin(app)), { timeout: 60_000 });
    await vi.waitUntil(async () => await detailsOf(app, video, asAdmin(app)), { timeout: 60_000 });
    const seen = await detailsOf(app, photo, asAdmin(app));
    expect(seen).toEqual({
      takenAt: '2023-05-06T05:08:09.120Z',
      ...{ camera: 'Canon EOS R5', lens: 'RF24-70mm F2.8 L IS USM' },
      ...{ exposure: '1/250 s, f/2.8', iso: 400 },
      ...{ latitude: 52.52, longitude: -13.4, altitudeM: 34.5 },
      ...{ width: null, height: null },
      ...{ durationMs: null, frameRate: null, videoCodec: null, audioCodec: null, bitRate: null },
      ...{ pageCount: null, textSnippet: null, author: 'Jörg', copyright: '© 2023 Jörg' },
    });
    const hidden = { latitude: null, longitude: null, altitudeM: null };
    expect(await detailsOf(app, photo, {})).toEqual({ ...seen, ...hidden });
    expect(await detailsOf(app, video, {})).toMatchObject({
      ...{ durationMs: 400, frameRate: 25, videoCodec: 'h264', audioCodec: 'aac', ...hidden },
    });
    const nothing = await detailsOf(app, note, asAdmin(app));
    expect(new Set(Object.values(nothing))).toEqual(new Set([null]));
  });

  test('cost a list no statement', () =>
    withApp(backend, async (app) => {
      await upload(app, 'note.txt');
      const count = async (selection: string) => {
        app.statements.length = 0;
        const query = `{ medias(first: 5) { nodes { id ${selection} } } }`;
        expect((await graphql(app, query, {}, asAdmin(app))).errors).toBeUndefined();
        return app.statements.length;
      };
      expect(await count(`details { ${ALL} }`)).toBe(await count('name'));
    }));
});
