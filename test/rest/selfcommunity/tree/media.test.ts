import { describe, expect, test } from 'vitest';
import { type TestApp, withApp } from '../../../support/app.ts';
import { describeEachBackend } from '../../../support/backend.ts';
import { graphql } from '../../../support/graphql.ts';
import { makeFolder } from '../../../support/make.ts';
import { WITH_USERS } from '../../../support/request.ts';
import { fieldRefusal } from '../../../support/selfcommunity.ts';
import { call, ENCODINGS, FORBIDDEN, NO_CREDENTIAL, NOT_FOUND, tokenOf } from '../call.ts';

const URL_ = 'https://example.com/page';
const IMAGE = 'https://example.com/i.png';
const BAD_URL = ['Enter a valid URL.', 'invalid'] as const;
const REQUIRED = ['This field is required.', 'required'] as const;
const BLANK = ['This field may not be blank.', 'blank'] as const;
const NULL = ['This field may not be null.', 'null'] as const;
const NO_TEXT = ['Not a valid string.', 'invalid'] as const;

describeEachBackend('media over SelfCommunity', (backend) => {
  const serve = (work: (app: TestApp) => Promise<void>, variables = {}) =>
    withApp(backend, work, { ...WITH_USERS, ...variables });
  const make = async (app: TestApp, fields: object, as = 1) =>
    (await call(app, 'POST /media/', { fields, as })).body;

  describe('§2.3: a media item is created', () => {
    test.each(ENCODINGS)('of each type, from %s', (encoding) =>
      serve(async (app) => {
        const of = async (fields: object) => {
          const answer = await call(app, 'POST /media/', { fields, encoding });
          expect(answer.status).toBe(201);
          return answer.body;
        };
        expect(await of({ type: 'url', url: URL_ })).toMatchObject({
          type: 'url',
          url: URL_,
          title: URL_,
          image: null,
          embed: { embed_type: 'sc_link', metadata: { url: URL_, images: [], type: 'link' } },
        });
        expect(await of({ type: 'vimeo', url: 'https://vimeo.com/1' })).toMatchObject({
          type: 'vimeo',
          embed: { embed_type: 'sc_vimeo', metadata: { type: 'video' } },
        });
        const picture = await of({ type: 'image', url: IMAGE });
        expect(picture).toMatchObject({ type: 'image', url: null, image: IMAGE, embed: null });
        const flat = { type: 'embed', embed_type: 'game', embed_id: 7 };
        expect(await of(flat)).toMatchObject({
          embed_type: 'game',
          embed_id: '7',
          embed: { embed_type: 'game', embed_id: '7', url: null, metadata: {} },
        });
        const embed = { embed_type: 'game', embed_id: '7', url: URL_, metadata: { a: [1] } };
        expect(await of({ type: 'embed', embed })).toMatchObject({ url: URL_, embed });
        expect(await of({ type: 'share', shared_object: 5 })).toMatchObject({
          embed: { embed_type: 'sc_shared_object', embed_id: '5', metadata: { id: 5 } },
        });
        expect(await of({ type: 'share', event_object: '6' })).toMatchObject({
          embed: { embed_type: 'sc_shared_event', embed_id: '6', metadata: { id: 6 } },
        });
      }),
    );

    test('with space around its URL, and with unknown fields', () =>
      serve(async (app) => {
        const fields = { type: 'url', url: ` ${URL_}\n`, id: 99, owner: 'eve', toString: 1 };
        expect(await make(app, fields)).toMatchObject({ url: URL_, id: 2 });
      }));

    test('from a flat embed whose `embed` is null, as some clients send it', () =>
      serve(async (app) => {
        const fields = { type: 'embed', embed: null, embed_type: 'a', embed_id: 'b', url: '' };
        expect(await make(app, fields)).toMatchObject({ embed_type: 'a', url: null });
      }));

    test.each([
      [{}, 'type', ...REQUIRED],
      [{ type: null }, 'type', ...NULL],
      [{ type: '' }, 'type', '"" is not a valid choice.', 'invalid_choice'],
      [{ type: 'doc' }, 'type', '"doc" is not a valid choice.', 'invalid_choice'],
      [{ type: ['url'] }, 'type', '"["url"]" is not a valid choice.', 'invalid_choice'],
      [{ type: 'url' }, 'url', ...REQUIRED],
      [{ type: 'vimeo' }, 'url', ...REQUIRED],
      [{ type: 'image' }, 'url', ...REQUIRED],
      [{ type: 'url', url: '' }, 'url', ...BLANK],
      [{ type: 'url', url: null }, 'url', ...NULL],
      [{ type: 'url', url: ['https://x.org'] }, 'url', ...NO_TEXT],
      [{ type: 'url', url: true }, 'url', ...NO_TEXT],
      [{ type: 'url', url: 'example.com' }, 'url', ...BAD_URL],
      [{ type: 'url', url: 'javascript:alert(1)' }, 'url', ...BAD_URL],
      [{ type: 'url', url: '/path' }, 'url', ...BAD_URL],
      [{ type: 'url', url: 5 }, 'url', ...BAD_URL],
      [
        { type: 'url', url: `https://x.org/${'a'.repeat(2048)}` },
        'url',
        'Ensure this field has no more than 2048 characters.',
        'max_length',
      ],
      [{ type: 'embed', embed_type: 'x' }, 'embed_id', ...REQUIRED],
      [{ type: 'embed', embed_id: 'x' }, 'embed_type', ...REQUIRED],
      [{ type: 'embed', embed: { embed_id: 1 } }, 'embed_type', ...REQUIRED],
      [{ type: 'embed', embed_type: '', embed_id: 1 }, 'embed_type', ...BLANK],
      [{ type: 'embed', embed_type: 'x', embed_id: {} }, 'embed_id', ...NO_TEXT],
      [{ type: 'embed', embed: [] }, 'embed', 'Expected a dictionary of items.', 'invalid'],
      [
        { type: 'embed', embed: { embed_type: 'x', embed_id: 1, metadata: 'm' } },
        'metadata',
        'Expected a dictionary of items.',
        'invalid',
      ],
      [{ type: 'embed', embed: { embed_type: 'x', embed_id: 1, url: 'u' } }, 'url', ...BAD_URL],
      [{ type: 'share' }, 'shared_object', ...REQUIRED],
      [{ type: 'share', shared_object: {} }, 'shared_object', ...NO_TEXT],
    ])('but not from %j', (fields, field, message, code) =>
      serve(async (app) => {
        const answer = await call(app, 'POST /media/', { fields });
        expect(answer).toMatchObject(fieldRefusal(field, message, code));
      }),
    );

    test.each(['sc_link', 'sc_shared_object', 'sc_shared_event', 'sc_vimeo'])(
      'but not with the reserved embed type %s',
      (embed_type) =>
        serve(async (app) => {
          const embed = { embed_type, embed_id: '1' };
          const message = `"${embed_type}" is a reserved embed type.`;
          for (const fields of [
            { type: 'embed', ...embed },
            { type: 'embed', embed },
          ]) {
            const answer = await call(app, 'POST /media/', { fields });
            expect(answer).toMatchObject(fieldRefusal('embed_type', message, 'invalid'));
          }
        }),
    );
  });

  describe('§2.4: the image of a link', () => {
    test.each(ENCODINGS)('is replaced by PUT and PATCH, from %s', (encoding) =>
      serve(async (app) => {
        for (const type of ['url', 'vimeo']) {
          const { id, ...made } = await make(app, { type, url: URL_ });
          const fields = { image: IMAGE, url: 'https://evil.example', title: 'x', type: 'doc' };
          const put = await call(app, `PUT /media/${id}/`, { fields, encoding, as: 1 });
          expect(put).toMatchObject({ status: 200, body: { id, image: IMAGE, url: URL_, type } });
          expect(put.body.title).toBe(made.title);
          const next = { image: `${IMAGE}?2` };
          const patch = await call(app, `PATCH /media/${id}/`, { fields: next, encoding, as: 1 });
          expect(patch).toMatchObject({ status: 200, body: { id, image: `${IMAGE}?2` } });
        }
      }),
    );

    test('is required by PUT alone', () =>
      serve(async (app) => {
        const made = await make(app, { type: 'url', url: URL_ });
        const put = await call(app, `PUT /media/${made.id}/`, { as: 1 });
        expect(put).toMatchObject(fieldRefusal('image', ...REQUIRED));
        const patch = await call(app, `PATCH /media/${made.id}/`, { as: 1 });
        expect(patch).toMatchObject({ status: 200, body: made });
      }));

    test.each([
      [null, ...NULL],
      ['', ...BLANK],
      ['x', ...BAD_URL],
      [['https://x.org'], ...NO_TEXT],
    ])('cannot be %j', (image, message, code) =>
      serve(async (app) => {
        const { id } = await make(app, { type: 'url', url: URL_ });
        for (const method of ['PUT', 'PATCH']) {
          const answer = await call(app, `${method} /media/${id}/`, { fields: { image }, as: 1 });
          expect(answer).toMatchObject(fieldRefusal('image', message, code));
        }
      }),
    );

    test('cannot be set on a media item that is not a link', () =>
      serve(async (app) => {
        const embed = { type: 'embed', embed_type: 'a', embed_id: 'b' };
        for (const fields of [embed, { type: 'image', url: IMAGE }]) {
          const { id } = await make(app, fields);
          for (const fields of [{ image: IMAGE }, {}]) {
            const answer = await call(app, `PATCH /media/${id}/`, { fields, as: 1 });
            expect(answer).toMatchObject({ status: 400, body: { image: [expect.any(String)] } });
          }
        }
      }));

    test('contains no character that would end the `url(…)` of a style', () =>
      serve(async (app) => {
        const { id } = await make(app, { type: 'url', url: URL_ });
        const fields = { image: `https://x.org/a b(1)'"\u3000\u00a0日.png` };
        const { body } = await call(app, `PUT /media/${id}/`, { fields, as: 1 });
        expect(body.image).toBe('https://x.org/a%20b%281%29%27%22%E3%80%80%C2%A0日.png');
      }));
  });

  describe('§2.5, §2.7: a media item', () => {
    test('is gone after DELETE, which has no body', () =>
      serve(async (app) => {
        const { id } = await make(app, { type: 'url', url: URL_ });
        const answer = await call(app, `DELETE /media/${id}/`, { as: 1 });
        expect([answer.status, answer.body]).toEqual([204, '']);
        for (const method of ['GET', 'DELETE', 'PUT', 'PATCH']) {
          expect(await call(app, `${method} /media/${id}/`, { as: 1 })).toMatchObject(NOT_FOUND);
        }
        expect(await call(app, `POST /media/${id}/click/`)).toMatchObject(NOT_FOUND);
      }));

    test('accepts clicks from anyone, with and without an address', () =>
      serve(async (app) => {
        const { id } = await make(app, { type: 'url', url: URL_ });
        for (const options of [{}, { fields: {} }, { fields: { ip: '10.0.0.1' } }, { as: 2 }]) {
          const answer = await call(app, `POST /media/${id}/click/`, options);
          expect([answer.status, answer.body]).toEqual([204, '']);
        }
      }));

    test('that is a folder is not found', () =>
      serve(async (app) => {
        const id = await makeFolder(app.services.db);
        for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
          const answer = await call(app, `${method} /media/${id}/`, { as: 'admin' });
          expect(answer).toMatchObject(NOT_FOUND);
        }
      }));

    test.each(['abc', '0', '-1', '1e3', '1.5', '99999999999999999999', '%00', '2%20'])(
      'cannot have the id %s',
      (id) =>
        serve(async (app) => {
          await make(app, { type: 'url', url: URL_ });
          for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
            const answer = await call(app, `${method} /media/${id}/`, { as: 'admin' });
            expect(answer).toMatchObject(NOT_FOUND);
          }
        }),
    );

    test('can be changed and deleted only by its creator and admins', () =>
      serve(async (app) => {
        const { id } = await make(app, { type: 'url', url: URL_ });
        const fields = { image: IMAGE };
        for (const line of [`PUT /media/${id}/`, `PATCH /media/${id}/`, `DELETE /media/${id}/`]) {
          expect(await call(app, line, { fields })).toMatchObject(NO_CREDENTIAL);
          expect(await call(app, line, { fields, as: 2 })).toMatchObject(FORBIDDEN);
          // A viewer who may not change the media item does not learn the faults of the body.
          expect(await call(app, line, { body: '{', as: 2 })).toMatchObject(FORBIDDEN);
        }
        expect((await call(app, `PUT /media/${id}/`, { fields, as: 'admin' })).status).toBe(200);
        expect((await call(app, `DELETE /media/${id}/`, { as: 'admin' })).status).toBe(204);
      }));

    test('that is public needs no credential, even if others need one', () =>
      serve(
        async (app) => {
          const { id } = await make(app, { type: 'url', url: URL_ });
          const lines = [`GET /media/${id}/`, `POST /media/${id}/click/`, 'GET /media/999/'];
          for (const line of lines) expect(await call(app, line)).toMatchObject(NO_CREDENTIAL);
          await publish(app, id);
          const [get, click] = await Promise.all(lines.map((line) => call(app, line)));
          expect([get!.status, click!.status]).toEqual([200, 204]);
        },
        { TRIVIUM_AUTH: 'required' },
      ));
  });

  describe('the same media in GraphQL', () => {
    const FIELDS = 'databaseId uuid type title url image { url } embed { embedType embedId }';
    const LIST = `{ medias(first: 10) { nodes { id ${FIELDS} } } }`;
    const ask = async (app: TestApp, query: string, variables = {}) => {
      const authorization = `Bearer ${await tokenOf(1)}`;
      return (await graphql(app, query, variables, { authorization })).data;
    };

    test('shows media of this dialect, and their changes and deletion', () =>
      serve(async (app) => {
        const { id, hash_code } = await make(app, { type: 'url', url: URL_ });
        await call(app, `PUT /media/${id}/`, { fields: { image: IMAGE }, as: 1 });
        const [node] = (await ask(app, LIST)).medias.nodes;
        expect(node).toMatchObject({
          databaseId: id,
          uuid: hash_code,
          type: 'URL',
          url: URL_,
          image: { url: IMAGE },
        });
        await call(app, `DELETE /media/${id}/`, { as: 1 });
        expect((await ask(app, LIST)).medias.nodes).toEqual([]);
      }));

    test('creates, changes and deletes media that this dialect shows', () =>
      serve(async (app) => {
        const create = `mutation ($input: CreateMediaInput!) {
          createMedia(input: $input) { ... on CreateMediaSuccess { media { id databaseId } } }
        }`;
        const input = { type: 'URL', url: URL_, embedType: 'x', embedId: '1' };
        const { id, databaseId } = (await ask(app, create, { input })).createMedia.media;
        const path = `/media/${databaseId}/`;
        const { body } = await call(app, `GET ${path}`);
        expect(body.embed).toMatchObject({ embed_type: 'sc_link', metadata: { url: URL_ } });
        await ask(
          app,
          `mutation { updateMedia(input: { id: "${id}", title: "T", description: "D" }) { __typename } }`,
        );
        expect((await call(app, `GET ${path}`)).body).toMatchObject({
          title: 'T',
          description: 'D',
          embed: { metadata: { title: 'T', description: 'D' } },
        });
        await ask(app, `mutation { deleteMedia(input: { id: "${id}" }) { __typename } }`);
        expect(await call(app, `GET ${path}`)).toMatchObject(NOT_FOUND);
      }));
  });
});

async function publish(app: TestApp, id: number): Promise<void> {
  const { db } = app.services;
  await db.updateTable('media').set({ is_public: 1 }).where('id', '=', id).execute();
}
