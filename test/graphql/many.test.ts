import { expect, test, vi } from 'vitest';
import { type TestApp, withApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { graphql } from '../support/graphql.ts';
import { makeFolder, makeMediaRow } from '../support/make.ts';
import { bearer } from '../support/private-media.ts';
import { WITH_USERS } from '../support/request.ts';
import { shareApp } from '../support/shared-app.ts';
import { childrenOf, makeSiblings } from '../support/siblings.ts';

const toId = (type: string, id: number) => Buffer.from(`${type}:${id}`).toString('base64url');
const mediaIds = (ids: readonly number[]) => ids.map((id) => toId('Media', id));

/** Runs a mutation as an admin. Returns its success or its error. */
async function run(app: TestApp, name: string, input: object, fields: string, headers?: object) {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  const query = `mutation ($input: ${type}Input!) { result: ${name}(input: $input) {
    __typename ... on ${type}Success { ${fields} }
    ... on Error { code message failedId } ... on InvalidInputError { issues { path code } } } }`;
  const credential = headers ?? { authorization: `Bearer ${app.adminKey}` };
  const { data, errors } = await graphql(app, query, { input }, credential as never);
  expect(errors).toBeUndefined();
  return data.result;
}

const SUMMARY = 'job { id status jobClass } count';

describeEachBackend('many nodes at once', (backend) => {
  const shared = shareApp(backend, { ...WITH_USERS, TRIVIUM_AUTH: 'required' });

  test('placeNodes drops nodes between two others', async () => {
    const app = shared();
    const { db } = app.services;
    const { folderId, ids } = await makeSiblings(db, [0, 1, 2, 3]);
    const [a, b, c, d] = ids as [number, number, number, number];
    const input = { ids: mediaIds([d, c]), afterId: toId('Media', a) };
    const placed = await run(app, 'placeNodes', input, 'nodes { id sortOrder parent { id } }');
    const parent = { id: toId('Folder', folderId) };
    expect(placed.nodes).toMatchObject(mediaIds([d, c]).map((id) => ({ id, parent })));
    expect((await childrenOf(db, folderId)).map(({ id }) => id)).toEqual([a, d, c, b]);
    const folder = await makeFolder(db);
    const toTop = { ids: mediaIds([b]), parentId: null, beforeId: toId('Folder', folder) };
    expect(await run(app, 'placeNodes', toTop, 'nodes { level parent { id } }')).toMatchObject({
      nodes: [{ level: 1, parent: null }],
    });
    const both = { ...input, beforeId: toId('Media', b) };
    expect(await run(app, 'placeNodes', both, 'nodes { id }')).toMatchObject({
      code: 'INVALID_INPUT',
      issues: [{ code: 'CONFLICT' }],
    });
    const tooMany = { ids: mediaIds(Array.from({ length: 201 }, (_, index) => index + 1)) };
    expect(await run(app, 'placeNodes', tooMany, 'nodes { id }')).toMatchObject({
      code: 'INVALID_INPUT',
    });
  });

  test('the error of many nodes names the first that failed', async () => {
    const app = shared();
    const { db } = app.services;
    const own = await makeMediaRow(db, { owner: 'bob' });
    const theirs = await makeMediaRow(db, { owner: 'carol' });
    const bob = await bearer('bob');
    for (const [name, input, fields] of [
      ['deleteNodes', {}, 'deletedIds'],
      ['moveNodes', {}, 'nodes { id }'],
      ['placeNodes', { parentId: null }, 'nodes { id }'],
      ['updateMedias', { title: 't' }, 'medias { id }'],
      ['tagMedia', {}, 'medias { id }'],
    ] as const) {
      const list = name === 'tagMedia' ? 'mediaIds' : 'ids';
      const fail = (ids: readonly number[]) =>
        run(app, name, { [list]: mediaIds(ids), ...input }, fields, bob);
      const failed = (id: number, code: string) => ({
        code,
        failedId: toId('Media', id),
        message: expect.stringContaining(toId('Media', id)),
      });
      expect(await fail([own, theirs, 99_999_999])).toMatchObject(failed(theirs, 'FORBIDDEN'));
      expect(await fail([own, 99_999_999, theirs])).toMatchObject(failed(99_999_999, 'NOT_FOUND'));
    }
  });

  test('the error names the first that failed whatever its reason is', async () => {
    const app = shared();
    const { db } = app.services;
    const [media, full] = [await makeMediaRow(db), await makeFolder(db)];
    const inside = await makeFolder(db, { parent_id: full, level: 2, path: `/1/${full}/` });
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, key) => [`key${key}`, 1]));
    const crowded = await makeMediaRow(db, { metadata: JSON.stringify(many) });
    const ids = [toId('Media', media), toId('Folder', full)];
    const into = { ids, parentId: toId('Folder', inside) };
    const merged = { ids: mediaIds([media, crowded]), metadata: { more: 1 } };
    for (const [name, input, fields, code, failedId] of [
      ['deleteNodes', { ids }, 'deletedIds', 'FOLDER_NOT_EMPTY', ids[1]],
      ['moveNodes', into, 'nodes { id }', 'FOLDER_CYCLE', ids[1]],
      ['placeNodes', into, 'nodes { id }', 'FOLDER_CYCLE', ids[1]],
      ['updateMedias', merged, 'medias { id }', 'INVALID_INPUT', merged.ids[1]],
    ] as const) {
      const message = expect.stringContaining(failedId ?? '');
      expect(await run(app, name, input, fields)).toMatchObject({ code, failedId, message });
    }
    // The same number, but another kind.
    const wrongKind = { ids: [toId('Media', media), toId('Folder', media)] };
    const failedId = toId('Folder', media);
    const absent = await run(app, 'deleteNodes', wrongKind, 'deletedIds');
    expect(absent).toMatchObject({ code: 'NOT_FOUND', failedId });
  });

  test('the error names the first id that is malformed or of another type', async () => {
    const app = shared();
    const { db } = app.services;
    const media = toId('Media', await makeMediaRow(db));
    const [folder, tag] = [toId('Folder', await makeFolder(db)), toId('Tag', 1)];
    for (const [name, list, input, fields, wrong] of [
      ['updateMedias', 'ids', { title: 't' }, 'medias { id }', folder],
      ['updateMedias', 'ids', { title: 't' }, 'medias { id }', 'zzz'],
      ['tagMedia', 'mediaIds', {}, 'medias { id }', folder],
      ['deleteNodes', 'ids', {}, 'deletedIds', tag],
      ['restoreNodes', 'ids', {}, 'nodes { id }', 'zzz'],
      ['moveNodes', 'ids', {}, 'nodes { id }', tag],
      ['placeNodes', 'ids', { parentId: null }, 'nodes { id }', ''],
      ['createArchiveUrl', 'ids', {}, 'url', tag],
    ] as const) {
      const error = await run(app, name, { [list]: [media, wrong, 'yyy'], ...input }, fields);
      expect(error, name).toMatchObject({
        failedId: wrong,
        message: expect.stringMatching(`^${wrong}: ${list}\\.1: Expected a global id`),
        issues: [{ path: ['input', list, '1'], code: 'INVALID_ID' }],
      });
    }
    const tagIds = { ids: [media], tagIds: ['zzz'] };
    const others = await run(app, 'updateMedias', tagIds, 'medias { id }');
    expect(others).toMatchObject({ code: 'INVALID_INPUT', failedId: null });
  });

  test('an error that is not about one of many names none', async () => {
    const app = shared();
    const id = toId('Media', await makeMediaRow(app.services.db));
    const reader = await bearer('rita', { role: 'reader' });
    const tagged = await run(app, 'tagMedia', { mediaIds: [id] }, 'medias { id }', reader);
    expect(tagged).toMatchObject({ code: 'FORBIDDEN', failedId: null });
    const input = { ids: [id], tagIds: [toId('Tag', 999_999)] };
    const absent = await run(app, 'updateMedias', input, 'medias { id }');
    expect(absent).toMatchObject({ code: 'NOT_FOUND', failedId: null });
  });

  test('copyMedia copies a link into another folder', async () => {
    const app = shared();
    const link = { type: 'EMBED', embedType: 'post', embedId: '1', title: 'T' };
    const { media } = await run(app, 'createMedia', link, 'media { id }');
    const folderId = toId('Folder', await makeFolder(app.services.db));
    const input = { id: media.id, folderId, name: 'N' };
    const copy = await run(
      app,
      'copyMedia',
      input,
      'media { name title parent { id } embed { embedId } }',
    );
    expect(copy.media).toMatchObject({ name: 'N', title: 'N', parent: { id: folderId } });
    expect(await run(app, 'copyMedia', { id: toId('Folder', 1) }, 'media { id }')).toMatchObject({
      issues: [{ code: 'INVALID_ID' }],
    });
  });

  test('deleteWhere, updateWhere and tagWhere count first, and name what is wrong in the filter', async () => {
    const app = shared();
    const keywords = 'manywhere';
    for (let index = 0; index < 3; index++) await makeMediaRow(app.services.db, { keywords });
    const filter = { search: keywords };
    const tagIds = [(await run(app, 'createTag', { name: 'w' }, 'tag { id }')).tag.id];
    for (const [name, change] of [
      ['deleteWhere', {}],
      ['updateWhere', { title: 'T', tagIds }],
      ['tagWhere', { addTagIds: tagIds }],
    ] as const) {
      const dry = await run(app, name, { filter, dryRun: true, ...change }, SUMMARY);
      expect(dry).toMatchObject({ job: null, count: 3 });
      const mine = await run(
        app,
        name,
        { filter, dryRun: true, ...change },
        SUMMARY,
        await bearer('dan'),
      );
      expect(mine).toMatchObject({ count: 0 });
      for (const [bad, at] of [
        [{}, []],
        [{ folderId: 'junk' }, ['folderId']],
        [{ search: 'x'.repeat(501) }, ['search']],
      ] as const) {
        const { issues } = await run(app, name, { filter: bad, ...change }, SUMMARY);
        expect(issues[0].path.join('.')).toMatch(new RegExp(`${['filter', ...at].join('\\.')}$`));
      }
      const { job } = await run(app, name, { filter, ...change }, SUMMARY);
      expect(job).toMatchObject({ status: 'PENDING' });
    }
    expect(await run(app, 'updateWhere', { filter }, SUMMARY)).toMatchObject({
      code: 'INVALID_INPUT',
    });
  });
});

describeEachBackend('a job of a selection in a whole server', (backend) => {
  test('runs as the viewer who started it', () =>
    withApp(
      backend,
      async (app) => {
        const { db } = app.services;
        const own = await makeMediaRow(db, { owner: 'bob', type: 'doc' });
        const theirs = await makeMediaRow(db, { owner: 'carol', type: 'doc' });
        const filter = { types: ['DOCUMENT'] };
        const bob = await bearer('bob');
        const started = await run(app, 'updateWhere', { filter, title: 'T' }, SUMMARY, bob);
        expect(started).toMatchObject({ count: 1, job: { jobClass: 'update-where' } });
        const read =
          'query ($id: ID!) { node(id: $id) { ... on Job { status result startedBy } } }';
        await vi.waitFor(
          async () => {
            const { data } = await graphql(app, read, { id: started.job.id }, bob);
            expect(data.node).toEqual({
              status: 'COMPLETED',
              result: { media_changed: 1 },
              startedBy: 'bob',
            });
          },
          { timeout: 60_000, interval: 20 },
        );
        const titles = await db
          .selectFrom('media')
          .where('type', '=', 'doc')
          .select(['id', 'title'])
          .execute();
        expect(titles.find(({ id }) => id === own)?.title).toBe('T');
        expect(titles.find(({ id }) => id === theirs)?.title).not.toBe('T');
      },
      { ...WITH_USERS, TRIVIUM_AUTH: 'required', TRIVIUM_JOB_CONCURRENCY: '1' },
    ));
});
