import { expect, test } from 'vitest';
import type { TestApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { graphql } from '../support/graphql.ts';
import { makeFileRow, makeMediaRow, makeTag } from '../support/make.ts';
import { bearer } from '../support/private-media.ts';
import { WITH_USERS } from '../support/request.ts';
import { shareApp } from '../support/shared-app.ts';

const toId = (type: string, id: number) => Buffer.from(`${type}:${id}`).toString('base64url');

/** Inserts media of a user, each with a file. Returns their numbers. */
async function makeMedias({ services: { db } }: TestApp, owner: string, count: number) {
  const ids: number[] = [];
  for (let index = 0; index < count; index++) {
    const id = await makeMediaRow(db, {
      owner,
      name: `n${index}`,
      title: index === 0 ? 'own' : `n${index}`,
    });
    await makeFileRow(db, id);
    ids.push(id);
  }
  return ids;
}

async function update(app: TestApp, sub: string, ids: readonly number[], more: object) {
  const query = `mutation ($input: UpdateMediasInput!) { result: updateMedias(input: $input) {
    ... on UpdateMediasSuccess { medias { databaseId name title keywords visibility tags { name } file { url } } }
    ... on Error { code message } ... on NotFoundError { notFoundId } } }`;
  const input = { ids: ids.map((id) => toId('Media', id)), ...more };
  const { data, errors } = await graphql(app, query, { input }, await bearer(sub));
  return data?.result ?? errors?.[0];
}

const rowsOf = ({ services: { db } }: TestApp, ids: readonly number[]) =>
  db
    .selectFrom('media')
    .where('id', 'in', [...ids])
    .orderBy('id')
    .selectAll()
    .execute();

describeEachBackend('updateMedias', (backend) => {
  const shared = shareApp(backend, { ...WITH_USERS, TRIVIUM_AUTH: 'required' });

  test('changes many media at once: texts, tags, and a visibility that changes the addresses', async () => {
    const app = shared();
    const ids = await makeMedias(app, 'alice', 3);
    const tag = await makeTag(app.services.db, { name: 'bulk' });
    const dirs = async () =>
      (
        await app.services.db
          .selectFrom('file')
          .where('media_id', 'in', ids)
          .select('dir')
          .execute()
      ).map(({ dir }) => dir);
    const before = await dirs();
    const more = {
      name: 'new',
      keywords: 'qwertzword',
      visibility: 'PRIVATE',
      tagIds: [toId('Tag', tag.id)],
    };
    const { medias } = await update(app, 'alice', [...ids].reverse(), more);
    const common = {
      name: 'new',
      keywords: 'qwertzword',
      visibility: 'PRIVATE',
      tags: [{ name: 'bulk' }],
    };
    expect(medias).toMatchObject(
      [...ids].reverse().map((databaseId) => ({
        databaseId,
        ...common,
        title: databaseId === ids[0] ? 'own' : 'new',
      })),
    );
    const after = await dirs();
    expect(new Set([...before, ...after]).size).toBe(6);
    expect(
      medias.map(({ file }: { file: { url: string } }) => file.url.split('/')[4]).sort(),
    ).toEqual(after.sort());
    const search = '{ medias(filter: { search: "qwertzword" }) { totalCount } }';
    expect((await graphql(app, search, {}, await bearer('alice'))).data.medias.totalCount).toBe(3);
    const files = app.services.db
      .selectFrom('file')
      .where('media_id', 'in', ids)
      .select('is_public');
    expect((await files.execute()).map(({ is_public }) => is_public)).toEqual([-1, -1, -1]);
  });

  test('changes nothing if one cannot be changed, and names the first', async () => {
    const app = shared();
    const [mine, theirs] = [await makeMedias(app, 'bob', 2), await makeMedias(app, 'carol', 2)];
    const hidden = await makeMediaRow(app.services.db, { owner: 'carol', is_public: -1 });
    const all = [...mine, ...theirs, hidden];
    const before = await rowsOf(app, all);
    const more = { title: 'x', visibility: 'PRIVATE' };
    const refused = await update(app, 'bob', [...mine, theirs[1]!, theirs[0]!], more);
    expect(refused).toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringContaining(toId('Media', theirs[1]!)),
    });
    // One that the viewer cannot see is as one that does not exist.
    for (const id of [hidden, 99_999_999]) {
      const absent = await update(app, 'bob', [mine[0]!, id, theirs[0]!], more);
      expect(absent).toEqual({
        code: 'NOT_FOUND',
        message: `There is no media "${toId('Media', id)}".`,
        notFoundId: toId('Media', id),
      });
    }
    expect(
      await update(app, 'bob', mine, { title: 'x', tagIds: [toId('Tag', 99_999_999)] }),
    ).toMatchObject({ code: 'NOT_FOUND' });
    expect(await rowsOf(app, all)).toEqual(before);
  });

  test('takes 1 to 200 media, and refuses fields that contradict each other', async () => {
    const app = shared();
    const ids = Array.from({ length: 201 }, (_, index) => index + 1);
    expect(await update(app, 'bob', ids, {})).toMatchObject({ code: 'INVALID_INPUT' });
    expect(await update(app, 'bob', [], {})).toMatchObject({ code: 'INVALID_INPUT' });
    const [id] = await makeMedias(app, 'bob', 1);
    const contradiction = { visibility: 'PUBLIC', isPublic: false };
    expect(await update(app, 'bob', [id!], contradiction)).toMatchObject({ code: 'INVALID_INPUT' });
  });

  test('makes as many statements for a hundred media as for two', async () => {
    const app = shared();
    const count = async (size: number) => {
      const ids = await makeMedias(app, 'dave', size);
      app.statements.length = 0;
      const { medias } = await update(app, 'dave', ids, { keywords: 'a', visibility: 'PRIVATE' });
      expect(medias).toHaveLength(size);
      return app.statements.length;
    };
    expect(await count(100)).toBe(await count(2));
  });
});
