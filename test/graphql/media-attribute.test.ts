import { expect, test } from 'vitest';
import { metadataValue } from '../../src/store/tree/metadata.ts';
import type { TestApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { graphql } from '../support/graphql.ts';
import { makeFileRow, makeMediaRow } from '../support/make.ts';
import { bearer } from '../support/private-media.ts';
import { WITH_USERS } from '../support/request.ts';
import { shareApp } from '../support/shared-app.ts';

const toId = (id: number) => Buffer.from(`Media:${id}`).toString('base64url');
const FIELDS = 'databaseId altText caption credit metadata';
const TEXTS = { altText: 'A cat on a sofa', caption: 'The cat', credit: 'Photo: Jane / Agency' };
const NONE = { altText: null, caption: null, credit: null, metadata: {} };

async function send(app: TestApp, field: string, input: object, success = `media { ${FIELDS} }`) {
  const type = `${field.charAt(0).toUpperCase()}${field.slice(1)}`;
  const query = `mutation ($input: ${type}Input!) { result: ${field}(input: $input) {
    ... on ${type}Success { ${success} } ... on Error { code }
    ... on InvalidInputError { message issues { path code } } } }`;
  const { data, errors } = await graphql(app, query, { input }, await bearer('alice'));
  return data?.result ?? errors?.[0];
}

const update = async (app: TestApp, id: number, change: object) => {
  const result = await send(app, 'updateMedia', { id: toId(id), ...change });
  return result.media ?? result;
};

const rowsOf = (app: TestApp, id: number) =>
  app.services.db
    .selectFrom('media_metadata')
    .where('media_id', '=', id)
    .select(['key', 'value'])
    .orderBy('key')
    .execute();

const found = async (app: TestApp, search: string) => {
  const query =
    'query ($search: String!) { medias(filter: { search: $search }) { nodes { databaseId } } }';
  const { data } = await graphql(app, query, { search }, await bearer('alice'));
  return data.medias.nodes.map(({ databaseId }: { databaseId: number }) => databaseId);
};

describeEachBackend('the attributes of media', (backend) => {
  const shared = shareApp(backend, WITH_USERS);
  const newMedia = (app: TestApp, columns = {}) =>
    makeMediaRow(app.services.db, { owner: 'alice', ...columns });

  test('alternative text, caption and credit are set, kept and cleared', async () => {
    const app = shared();
    const id = await newMedia(app);
    expect(await update(app, id, { title: 'x' })).toEqual({ databaseId: id, ...NONE });
    expect(await update(app, id, TEXTS)).toMatchObject(TEXTS);
    expect(await update(app, id, { caption: null, altText: '' })).toMatchObject({
      ...{ altText: '', caption: null, credit: TEXTS.credit },
    });
    const long = { altText: 'a'.repeat(2001), caption: 'c'.repeat(5001), credit: 'c'.repeat(501) };
    expect((await update(app, id, long)).issues).toEqual([
      { path: ['input', 'altText'], code: 'TOO_BIG' },
      { path: ['input', 'caption'], code: 'TOO_BIG' },
      { path: ['input', 'credit'], code: 'TOO_BIG' },
    ]);
  });

  test('a search finds the words of all three, and no longer those of before', async () => {
    const app = shared();
    const id = await newMedia(app);
    await update(app, id, { altText: 'zimtstern', caption: 'zuckerwatte', credit: 'zitronat' });
    for (const word of ['zimtstern', 'zuckerwatte', 'zitronat']) {
      expect(await found(app, word)).toEqual([id]);
    }
    await update(app, id, { altText: null });
    expect(await found(app, 'zimtstern')).toEqual([]);
    expect(await found(app, 'zitronat')).toEqual([id]);
  });

  test('metadata is merged by key, in the column and in the rows that filters read', async () => {
    const app = shared();
    const id = await newMedia(app);
    const long = 'x'.repeat(300);
    const first = { b: { z: 1, a: [true, null] }, a: 'one', long };
    expect((await update(app, id, { metadata: first })).metadata).toEqual(first);
    expect(await rowsOf(app, id)).toEqual([
      { key: 'a', value: '"one"' },
      { key: 'b', value: '{"a":[true,null],"z":1}' },
      { key: 'long', value: metadataValue(long) },
    ]);
    const second = await update(app, id, { metadata: { a: 2, b: null, c: '3' } });
    expect(second.metadata).toEqual({ a: 2, c: '3', long });
    expect((await rowsOf(app, id)).map(({ key }) => key)).toEqual(['a', 'c', 'long']);
    expect((await update(app, id, { title: 'y' })).metadata).toEqual(second.metadata);
    expect((await update(app, id, { metadata: null })).metadata).toEqual({});
    expect(await rowsOf(app, id)).toEqual([]);
    const [row] = await app.services.db
      .selectFrom('media')
      .where('id', '=', id)
      .select('metadata')
      .execute();
    expect(row?.metadata).toBeNull();
  });

  test('metadata that is wrong is refused with the path to it, and changes nothing', async () => {
    const app = shared();
    const id = await newMedia(app);
    await update(app, id, { metadata: { kept: 1 } });
    const deep = { a: { b: [{ c: [[1]] }] } };
    expect((await update(app, id, { metadata: deep, title: 'z' })).issues).toEqual([
      { path: ['input', 'metadata', 'a', 'b', '0', 'c', '0'], code: 'TOO_BIG' },
    ]);
    expect((await update(app, id, { metadata: [] })).issues).toEqual([
      { path: ['input', 'metadata'], code: 'INVALID_TYPE' },
    ]);
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`k${at}`, at]));
    expect((await update(app, id, { metadata: many })).issues).toEqual([
      { path: ['input', 'metadata'], code: 'TOO_BIG' },
    ]);
    expect((await update(app, id, {})).metadata).toEqual({ kept: 1 });
  });

  test('keys that mean something to JavaScript are keys like others', async () => {
    const app = shared();
    const id = await newMedia(app);
    // In a literal: the parser of JSON bodies refuses `__proto__`.
    const change = async (metadata: string) => {
      const query = `mutation { updateMedia(input: { id: "${toId(id)}", metadata: ${metadata} }) {
        ... on UpdateMediaSuccess { media { metadata } } } }`;
      const { data } = await graphql(app, query, {}, await bearer('alice'));
      return JSON.stringify(data.updateMedia.media.metadata);
    };
    expect(await change('{ __proto__: { admin: true }, constructor: 1 }')).toBe(
      '{"__proto__":{"admin":true},"constructor":1}',
    );
    expect((await rowsOf(app, id)).map(({ key }) => key)).toEqual(['__proto__', 'constructor']);
    expect(await change('{ __proto__: null, hasOwnProperty: "x" }')).toBe(
      '{"constructor":1,"hasOwnProperty":"x"}',
    );
  });

  test('many media get the same texts, and each its own metadata, merged', async () => {
    const app = shared();
    const ids = [
      await newMedia(app, { metadata: '{"a":1,"b":1}' }),
      await newMedia(app, { metadata: '{"b":2}' }),
      await newMedia(app),
    ];
    expect(await rowsOf(app, ids[0]!)).toHaveLength(2);
    const input = { ids: ids.map(toId), ...TEXTS, metadata: { b: null, c: [1] } };
    const { medias } = await send(app, 'updateMedias', input, `medias { ${FIELDS} }`);
    expect(medias).toEqual(
      [{ a: 1, c: [1] }, { c: [1] }, { c: [1] }].map((metadata, index) => ({
        ...{ databaseId: ids[index], ...TEXTS, metadata },
      })),
    );
    expect(await rowsOf(app, ids[0]!)).toEqual([
      { key: 'a', value: '1' },
      { key: 'c', value: '[1]' },
    ]);
    const statements = async (some: readonly number[], tag: number) => {
      app.statements.length = 0;
      await send(app, 'updateMedias', { ids: some.map(toId), metadata: { tag } }, 'medias { id }');
      return app.statements.length;
    };
    const others = await Promise.all(Array.from({ length: 30 }, () => newMedia(app)));
    expect(await statements(others, 1)).toBe(await statements(ids, 1));
    // One that gets too many refuses the change of all.
    const full = Object.fromEntries(Array.from({ length: 49 }, (_, at) => [`k${at}`, at]));
    await update(app, ids[2]!, { metadata: { c: null, tag: null, ...full } });
    const refused = await send(
      app,
      'updateMedias',
      { ...input, metadata: { d: 1, e: 1 } },
      'medias { id }',
    );
    expect(refused.issues).toEqual([{ path: ['input', 'metadata'], code: 'TOO_BIG' }]);
    expect((await update(app, ids[0]!, {})).metadata).toEqual({ a: 1, c: [1], tag: 1 });
  });

  test('a link is created with them, and with its focal point', async () => {
    const app = shared();
    const success = `media { ${FIELDS} image { focalPoint { left top } } }`;
    const link = { type: 'IMAGE', url: 'https://x.org/a.png', focalPoint: { left: 0.1, top: 0.2 } };
    const input = { ...link, ...TEXTS, metadata: { a: 1, b: null } };
    const { media } = await send(app, 'createMedia', input, success);
    expect(media).toMatchObject({
      ...TEXTS,
      metadata: { a: 1 },
      image: { focalPoint: link.focalPoint },
    });
    expect(await rowsOf(app, media.databaseId)).toEqual([{ key: 'a', value: '1' }]);
  });

  test('come back from the trash, and can be found again', async () => {
    const app = shared();
    const id = await newMedia(app);
    await makeFileRow(app.services.db, id);
    await update(app, id, { altText: 'lebkuchen', metadata: { a: 1 } });
    await send(app, 'deleteMedia', { id: toId(id) }, 'deletedId');
    expect(await rowsOf(app, id)).toEqual([]);
    const trash =
      '{ trash { nodes { ... on Media { altText metadata uploadedBy { id } duplicates { id } } } } }';
    const { data } = await graphql(app, trash, {}, await bearer('alice'));
    expect(data.trash.nodes[0]).toEqual({
      ...{ altText: 'lebkuchen', metadata: { a: 1 }, uploadedBy: { id: 'alice' }, duplicates: [] },
    });
    await send(app, 'restoreNodes', { ids: [toId(id)] }, 'nodes { id }');
    expect(await rowsOf(app, id)).toEqual([{ key: 'a', value: '1' }]);
    expect(await found(app, 'lebkuchen')).toEqual([id]);
    expect((await update(app, id, {})).metadata).toEqual({ a: 1 });
  });

  test('the history names the fields that changed, and never their values', async () => {
    const app = shared();
    const id = await newMedia(app);
    await update(app, id, { ...TEXTS, metadata: { secret: 'value' } });
    await update(app, id, { metadata: { secret: 'value' } });
    const query = `{ node(id: "${toId(id)}") { ... on Media { history { nodes { action details } } } } }`;
    const { data } = await graphql(app, query, {}, await bearer('alice'));
    expect(data.node.history.nodes).toEqual([
      { action: 'UPDATE', details: { changed: ['altText', 'caption', 'credit', 'metadata'] } },
    ]);
  });
});
