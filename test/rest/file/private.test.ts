import { expect, test } from 'vitest';
import { createThumbnail } from '../../../src/domain/rendition/thumbnail.ts';
import { SYSTEM } from '../../../src/domain/viewer/viewer.ts';
import { type TestApp, withApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import type { GraphqlOptions } from '../../support/graphql.ts';
import { makeFolder } from '../../support/make.ts';
import { asAdmin, bearer, change, pathOf, uploadAs } from '../../support/private-media.ts';
import { WITH_USERS } from '../../support/request.ts';
import { shareApp } from '../../support/shared-app.ts';

function get(app: TestApp, path: string, { authorization }: GraphqlOptions = {}, method = 'GET') {
  return app.fetch(path, { method, headers: authorization ? { authorization } : {} });
}

async function globalFolder(app: TestApp, name: string) {
  const id = await makeFolder(app.services.db, { name });
  const { uuid } = await app.services.db
    .selectFrom('media')
    .where('id', '=', id)
    .select('uuid')
    .executeTakeFirstOrThrow();
  return { id: Buffer.from(`Folder:${id}`).toString('base64url'), uuid };
}

/** The headers that every response has a value of its own for. */
const OWN = ['date', 'x-request-id', 'connection', 'keep-alive'];
const headersOf = ({ headers }: Response) => [...headers].filter(([name]) => !OWN.includes(name));

async function viewersOf(app: TestApp, folderUuid: string, otherUuid: string) {
  return {
    anonymous: {},
    reader: await bearer('carol', { role: 'reader' }),
    stranger: await bearer('bob'),
    owner: await bearer('alice'),
    admin: asAdmin(app),
    'reader of its folder': await bearer('dave', { role: 'reader', start_nodes: [folderUuid] }),
    'admin of another folder': await bearer('eve', { role: 'admin', start_nodes: [otherUuid] }),
    'owner with another folder': await bearer('alice', { start_nodes: [otherUuid] }),
  };
}

const MAY_READ_PRIVATE = ['owner', 'admin', 'reader of its folder'];

describeEachBackend('the bytes of a media item', (backend) => {
  test.each(['open', 'required'])(
    'are for everyone who knows the URL, and those of a private one for its owner, admins, and viewers whose start nodes contain it (%s)',
    (auth) =>
      withApp(
        backend,
        async (app) => {
          const [folder, other] = [await globalFolder(app, 'a'), await globalFolder(app, 'b')];
          const viewers = await viewersOf(app, folder.uuid, other.uuid);
          for (const visibility of ['PUBLIC', 'UNLISTED', 'PRIVATE']) {
            const input = { visibility, folderId: folder.id };
            const media = await uploadAs(app, viewers.owner, input);
            const path = pathOf(media.file.url);
            for (const [name, sender] of Object.entries(viewers)) {
              const mayRead = visibility !== 'PRIVATE' || MAY_READ_PRIVATE.includes(name);
              for (const query of ['', '?width=8&format=png', '?download=1']) {
                const { status, headers } = await get(app, path + query, sender);
                const cache = visibility === 'PRIVATE' ? 'private, no-store' : 'public, no-cache';
                const expected = mayRead ? [200, cache] : [404, 'no-store'];
                expect([name, query, status, headers.get('cache-control')]).toEqual([
                  name,
                  query,
                  ...expected,
                ]);
              }
            }
          }
        },
        { ...WITH_USERS, TRIVIUM_AUTH: auth },
      ),
  );
});

describeEachBackend('a private media item', (backend) => {
  const shared = shareApp(backend, WITH_USERS);

  test('is answered as a file that does not exist, also to HEAD and to conditions', async () => {
    const app = shared();
    const owner = await bearer('alice');
    const media = await uploadAs(app, owner, { visibility: 'PRIVATE' });
    const path = pathOf(media.file.url);
    const missing = path.replace(/\/[a-z0-5]{8}\//, '/aaaaaaaa/');
    const etag = (await get(app, path, owner)).headers.get('etag')!;
    for (const method of ['GET', 'HEAD']) {
      for (const sender of [{}, await bearer('bob')]) {
        const [hidden, absent] = [
          await get(app, path, sender, method),
          await get(app, missing, sender, method),
        ];
        expect([hidden.status, absent.status]).toEqual([404, 404]);
        expect(headersOf(hidden)).toEqual(headersOf(absent));
        expect(await hidden.text()).toBe(await absent.text());
      }
    }
    const conditional = await app.fetch(path, { headers: { 'if-none-match': etag } });
    expect(conditional.status).toBe(404);
    const headers = { ...owner, 'if-none-match': etag };
    const unchanged = await app.fetch(path, { headers });
    expect([unchanged.status, unchanged.headers.get('cache-control')]).toEqual([
      304,
      'private, no-store',
    ]);
  });

  test('is not read with a credential in the URL', async () => {
    const app = shared();
    const media = await uploadAs(app, asAdmin(app), { visibility: 'PRIVATE' });
    for (const name of ['api-key', 'auth-token', 'access_token', 'token', 'authorization', 'key']) {
      const response = await get(app, `${pathOf(media.file.url)}?${name}=${app.adminKey}`);
      expect([name, response.status]).toEqual([name, 404]);
    }
  });

  test('has new addresses for all its files from the moment in which it becomes private', async () => {
    const app = shared();
    const owner = await bearer('alice');
    const media = await uploadAs(app, owner);
    const { uuid } = await app.services.db
      .selectFrom('file')
      .where('media_id', '=', media.databaseId)
      .select('uuid')
      .executeTakeFirstOrThrow();
    await createThumbnail({ ...app.services, viewer: SYSTEM, log: app.app.log }, uuid);
    const pathsOf = async () => {
      const rows = await app.services.db
        .selectFrom('file')
        .where('media_id', '=', media.databaseId)
        .select(['dir', 'url_name'])
        .orderBy('key')
        .execute();
      return rows.map(({ dir, url_name }) => `/media/${dir}/${url_name}`);
    };
    const statuses = async (paths: string[], sender = {}) => {
      const found = [];
      for (const path of paths) found.push((await get(app, path, sender)).status);
      return found;
    };
    const set = (fields: string) =>
      change(
        app,
        owner,
        `updateMedia(input: { id: "${media.id}", ${fields} }) { __typename ... on Error { code } }`,
      );
    const before = await pathsOf();
    expect(before).toHaveLength(2);
    expect(await statuses(before)).toEqual([200, 200]);
    await set('visibility: PUBLIC');
    expect(await pathsOf()).toEqual(before);
    await set('visibility: PRIVATE');
    const after = await pathsOf();
    expect(await statuses(before, owner)).toEqual([404, 404]);
    expect(await statuses(after)).toEqual([404, 404]);
    expect(await statuses(after, owner)).toEqual([200, 200]);
    await set('visibility: PRIVATE, title: "a"');
    await set('isPublic: false');
    expect(await pathsOf()).toEqual(after);
    await set('visibility: UNLISTED');
    expect(await statuses(after)).toEqual([200, 200]);
  });

  test('is read in the Importer’s and SelfCommunity’s dialects by URLs that take a credential', async () => {
    const app = shared();
    const [owner, stranger] = [await bearer('7', { user_id: 7 }), await bearer('8')];
    const media = await uploadAs(app, owner, { visibility: 'PRIVATE' });
    const shown = await get(app, `/api/v2/media/${media.databaseId}/`, owner);
    const { image } = (await shown.json()) as { image: string };
    expect(pathOf(image)).toBe(pathOf(media.file.url));
    expect(new URL(image).search).toBe('');
    expect((await get(app, pathOf(image), owner)).status).toBe(200);
    expect((await get(app, pathOf(image), stranger)).status).toBe(404);
    expect((await get(app, `/api/v2/media/${media.databaseId}/`, stranger)).status).toBe(404);
    for (const path of [`/medias/info/${media.uuid}`, `/medias/files/${media.uuid}`]) {
      expect([path, (await get(app, path, owner)).status]).toEqual([path, 200]);
      expect([path, (await get(app, path, stranger)).status]).toEqual([path, 404]);
      expect([path, (await get(app, path)).status]).toEqual([path, 401]);
    }
    const bytes = await get(app, `/medias/files/${media.uuid}`, owner);
    expect(bytes.headers.get('cache-control')).toBe('private, no-store');
    const list = `/medias?filter[resource]=${media.uuid}&count=true`;
    for (const [sender, count] of [
      [owner, 1],
      [stranger, 0],
    ] as const) {
      const { data, meta } = (await (await get(app, list, sender)).json()) as {
        data: { attributes: object }[];
        meta: object;
      };
      expect(meta).toMatchObject({ count });
      expect(data).toHaveLength(count);
      if (count === 1) expect(data[0]!.attributes).toMatchObject({ public: false });
    }
  });
});
