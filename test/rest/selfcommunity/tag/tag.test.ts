import { describe, expect, test } from 'vitest';
import { type TestApp, withApp } from '../../../support/app.ts';
import { describeEachBackend } from '../../../support/backend.ts';
import { graphql } from '../../../support/graphql.ts';
import { makeTag } from '../../../support/make.ts';
import { WITH_USERS } from '../../../support/request.ts';
import { fieldRefusal } from '../../../support/selfcommunity.ts';
import { call, ENCODINGS, FORBIDDEN, NO_CREDENTIAL, NOT_FOUND } from '../call.ts';

const NULL = ['This field may not be null.', 'null'] as const;
const NO_TEXT = ['Not a valid string.', 'invalid'] as const;
const NO_FLAG = ['Must be a valid boolean.', 'invalid'] as const;
const atMost = (count: number) =>
  [`Ensure this field has no more than ${count} characters.`, 'max_length'] as const;

describeEachBackend('tags over SelfCommunity', (backend) => {
  const serve = (work: (app: TestApp) => Promise<void>, variables = {}) =>
    withApp(backend, work, { ...WITH_USERS, ...variables });
  const make = async (app: TestApp, fields: object = { name: 'a' }) =>
    (await call(app, 'POST /tag/', { fields })).body;
  const names = async (app: TestApp, path: string): Promise<string[]> =>
    (await call(app, `GET ${path}`)).body.results.map(({ name }: { name: string }) => name);

  describe('§2.6: a tag', () => {
    test.each(ENCODINGS)('is created, changed and patched, from %s', (encoding) =>
      serve(async (app) => {
        const fields = {
          name: ' a\t',
          description: '',
          color: '#ff0000',
          visible: false,
          active: false,
          visibility_boost: true,
          type: 'category',
          id: 99,
          created_at: '2000-01-01T00:00:00Z',
          deleted: true,
        };
        const made = await call(app, 'POST /tag/', { fields, encoding });
        const expected = { ...fields, name: 'a', id: 1, deleted: false };
        expect(made).toMatchObject({
          status: 201,
          body: { ...expected, created_at: made.body.created_at },
        });
        expect(made.body.created_at).not.toContain('2000');
        const put = { fields: { name: 'b', active: true }, encoding };
        const changed = { ...made.body, name: 'b', active: true };
        expect((await call(app, 'PUT /tag/1/', put)).body).toEqual(changed);
        const patch = { fields: { color: '#00f' }, encoding };
        const answer = await call(app, 'PATCH /tag/1/', patch);
        expect(answer).toMatchObject({ status: 200, body: { ...changed, color: '#00f' } });
        expect((await call(app, 'GET /tag/1/')).body).toEqual(answer.body);
      }),
    );

    test('created from a name alone has the defaults', () =>
      serve(async (app) => {
        expect(await make(app)).toMatchObject({
          type: 'user',
          description: null,
          color: '#ffffff',
          visible: true,
          active: true,
          visibility_boost: false,
          deleted: false,
        });
      }));

    test.each([
      ['string', '#ffffff'],
      ['', '#ffffff'],
      ['red', '#ffffff'],
      ['#12', '#ffffff'],
      ['#aBc', '#aBc'],
      ['rgb(1, 2, 3)', 'rgb(1, 2, 3)'],
      ['hsla(10deg, 5%, 5%, 0.5)', '#ffffff'],
      ['hsla(10, 5%, 5%, 0.5)', 'hsla(10, 5%, 5%, 0.5)'],
    ])(
      'of the color "%s" is accepted, and shown as %s: an invalid color breaks its clients',
      (color, shown) =>
        serve(async (app) => {
          expect(await make(app, { name: 'a', color })).toMatchObject({ color: shown });
        }),
    );

    test.each([
      [{}, 'name', 'This field is required.', 'required'],
      [{ name: null }, 'name', ...NULL],
      [{ name: '' }, 'name', 'This field may not be blank.', 'blank'],
      [{ name: ' \t' }, 'name', 'This field may not be blank.', 'blank'],
      [{ name: [] }, 'name', ...NO_TEXT],
      [{ name: true }, 'name', ...NO_TEXT],
      [{ name: 'x'.repeat(65) }, 'name', ...atMost(64)],
      [{ name: 'a', description: 'x'.repeat(501) }, 'description', ...atMost(500)],
      [{ name: 'a', description: {} }, 'description', ...NO_TEXT],
      [{ name: 'a', color: null }, 'color', ...NULL],
      [{ name: 'a', visible: null }, 'visible', ...NULL],
      [{ name: 'a', visible: 'maybe' }, 'visible', ...NO_FLAG],
      [{ name: 'a', active: 2 }, 'active', ...NO_FLAG],
      [{ name: 'a', active: [true] }, 'active', ...NO_FLAG],
      [{ name: 'a', visibility_boost: '' }, 'visibility_boost', ...NO_FLAG],
      [{ name: 'a', type: 'nope' }, 'type', '"nope" is not a valid choice.', 'invalid_choice'],
    ])('is not created from %j', (fields, field, message, code) =>
      serve(async (app) => {
        const answer = await call(app, 'POST /tag/', { fields });
        expect(answer).toMatchObject(fieldRefusal(field, message, code));
      }),
    );

    test('that is refused reports all faults at once: unreadable values and broken rules', () =>
      serve(async (app) => {
        await make(app);
        const fields = { name: ' ', description: 'x'.repeat(501), visible: 'maybe', color: [] };
        const { name, ...unnamed } = fields;
        const refused = (texts: object) => ({ status: 400, body: texts });
        const others = {
          visible: [NO_FLAG[0]],
          color: [NO_TEXT[0]],
          description: [atMost(500)[0]],
        };
        const isMissing = { ...others, name: ['This field is required.'] };
        const isBlank = { ...others, name: ['This field may not be blank.'] };
        for (const route of ['POST /tag/', 'PUT /tag/1/']) {
          expect(await call(app, route, { fields: unnamed })).toMatchObject(refused(isMissing));
          expect(await call(app, route, { fields })).toMatchObject(refused(isBlank));
        }
        expect(await call(app, 'PATCH /tag/1/', { fields })).toMatchObject(refused(isBlank));
        const { status, body } = await call(app, 'PATCH /tag/1/', { fields: unnamed });
        expect([status, Object.keys(body).sort()]).toEqual([
          400,
          ['color', 'description', 'errors', 'visible'],
        ]);
        // An unreadable value is not reported as missing, too.
        const list = await call(app, 'POST /tag/', { fields: { name: [] } });
        expect(list.body.name).toEqual([NO_TEXT[0]]);
      }));

    test('may have a name of 64 characters of any kind', () =>
      serve(async (app) => {
        const name = '😀'.repeat(64);
        expect((await make(app, { name })).name).toBe(name);
        const answer = await call(app, 'POST /tag/', { fields: { name: `${name}x` } });
        expect(answer).toMatchObject(fieldRefusal('name', ...atMost(64)));
      }));

    test('can have a number as its name, and an empty description', () =>
      serve(async (app) => {
        const fields = { name: 123, description: null };
        expect(await make(app, fields)).toMatchObject({ name: '123', description: null });
      }));

    test.each([
      ['t Y yes TRUE on 1', true],
      ['F n No false OFF 0', false],
    ])('accepts the words %s as %s', (words, value) =>
      serve(async (app) => {
        await make(app);
        for (const word of [...words.split(' '), value, Number(value)]) {
          await call(app, 'PATCH /tag/1/', { fields: { visible: !value } });
          const answer = await call(app, 'PATCH /tag/1/', { fields: { visible: word } });
          expect(answer.body.visible).toBe(value);
        }
      }),
    );

    test('needs its name in PUT, and nothing in PATCH', () =>
      serve(async (app) => {
        const made = await make(app);
        const put = await call(app, 'PUT /tag/1/', { fields: { visible: false } });
        expect(put).toMatchObject(fieldRefusal('name', 'This field is required.', 'required'));
        expect((await call(app, 'PATCH /tag/1/')).body).toEqual(made);
        const blank = await call(app, 'PATCH /tag/1/', { fields: { name: '' } });
        expect(blank.status).toBe(400);
      }));

    test('is gone after DELETE, which has no body, in lists and in GraphQL too', () =>
      serve(async (app) => {
        await make(app);
        const answer = await call(app, 'DELETE /tag/1/');
        expect([answer.status, answer.body]).toEqual([204, '']);
        for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
          expect(await call(app, `${method} /tag/1/`)).toMatchObject(NOT_FOUND);
        }
        expect(await names(app, '/tag/')).toEqual([]);
        const { data } = await graphql(app, '{ tags(first: 5) { nodes { name } } }');
        expect(data.tags.nodes).toEqual([]);
      }));

    test('is hidden on its own routes by a search that it does not match', () =>
      serve(async (app) => {
        await make(app, { name: 'abc', description: 'def' });
        for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
          const answer = await call(app, `${method} /tag/1/?search=zzz`);
          expect(answer).toMatchObject(NOT_FOUND);
        }
        expect((await call(app, 'GET /tag/1/?search=AB,ef')).body.name).toBe('abc');
      }));

    test.each(['abc', '0', '-1', '1e0', '1.0', '99999999999999999999', '%00'])(
      'cannot have the id %s',
      (id) =>
        serve(async (app) => {
          await make(app);
          for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
            expect(await call(app, `${method} /tag/${id}/`)).toMatchObject(NOT_FOUND);
          }
        }),
    );

    test('§2.7: can be assigned, added and removed, again and again', () =>
      serve(async (app) => {
        await make(app);
        for (const verb of ['assign', 'add', 'remove', 'add', 'remove']) {
          for (const fields of [{ user: 7 }, { category: 3 }, {}]) {
            const answer = await call(app, `POST /tag/1/${verb}/`, { fields });
            expect([answer.status, answer.body]).toEqual([204, '']);
          }
          expect(await call(app, `POST /tag/2/${verb}/`)).toMatchObject(NOT_FOUND);
        }
      }));

    test('is made by editors and changed by admins if every write needs a credential, and read by anyone', () =>
      serve(
        async (app) => {
          const { id } = await makeTag(app.services.db);
          const fields = { name: 'b' };
          expect(await call(app, 'POST /tag/', { fields })).toMatchObject(NO_CREDENTIAL);
          expect((await call(app, 'POST /tag/', { fields, as: 1 })).status).toBe(201);
          for (const line of [
            `PUT /tag/${id}/`,
            `PATCH /tag/${id}/`,
            `POST /tag/${id}/assign/`,
            `DELETE /tag/${id}/`,
          ]) {
            expect(await call(app, line, { fields })).toMatchObject(NO_CREDENTIAL);
            expect(await call(app, line, { fields, as: 1 })).toMatchObject(FORBIDDEN);
            const { status } = await call(app, line, { fields, as: 'admin' });
            expect([line, status < 300]).toEqual([line, true]);
          }
          expect((await call(app, 'GET /tag/')).body.count).toBe(1);
        },
        { TRIVIUM_AUTH: 'required' },
      ));
  });

  describe('§4: a list of tags', () => {
    const withFive = (work: (app: TestApp) => Promise<void>) =>
      serve(async (app) => {
        const tags = [
          { name: 'Rome', description: 'Città eterna', created_at: 5 },
          { name: 'rome 2', type: 'category', created_at: 4, visible: 0 },
          { name: 'Paris', description: '100% rome_like', created_at: 3, active: 0 },
          { name: 'Oslo', created_at: 2, visibility_boost: 1 },
          { name: 'Bonn', type: 'contribution', created_at: 1 },
        ];
        for (const tag of tags) await makeTag(app.services.db, tag);
        await work(app);
      });

    test('is paged by limit and offset, with absolute links that keep the rest', () =>
      withFive(async (app) => {
        const path = `${app.url}/api/v2/tag/`;
        const page = async (query: string) => (await call(app, `GET /tag/?${query}`)).body;
        expect(await page('search=&limit=2')).toMatchObject({
          count: 5,
          next: `${path}?limit=2&offset=2&search=`,
          previous: null,
        });
        expect(await page('offset=2&limit=2&x=%C3%A9+%26')).toMatchObject({
          next: `${path}?limit=2&offset=4&x=%C3%A9+%26`,
          previous: `${path}?limit=2&x=%C3%A9+%26`,
        });
        expect(await page('limit=2&offset=3')).toMatchObject({
          next: null,
          previous: `${path}?limit=2&offset=1`,
        });
        expect(await page('limit=2&offset=9')).toMatchObject({ count: 5, next: null, results: [] });
      }));

    test.each([
      ['limit=abc', 5],
      ['limit=0', 5],
      ['limit=-1', 5],
      ['limit=99999999999999999999', 5],
      ['limit=2&offset=abc', 2],
      ['limit=2&offset=-5', 2],
      ['limit=1&limit=3', 3],
      ['offset=99999999999999999999', 0],
    ])('of %s has %i of 5', (query, count) =>
      withFive(async (app) => {
        expect(await names(app, `/tag/?${query}`)).toHaveLength(count);
      }),
    );

    test('has ten by default', () =>
      serve(async (app) => {
        for (let index = 0; index < 12; index++) await makeTag(app.services.db);
        expect(await names(app, '/tag/')).toHaveLength(10);
      }));

    test.each([
      ['', ['Rome', 'rome 2', 'Paris', 'Oslo', 'Bonn']],
      ['search=ROME', ['Rome', 'rome 2', 'Paris']],
      ['search=rome,citt%C3%A0', ['Rome']],
      ['search=+rome++2', ['rome 2']],
      ['search=CITT%C3%80', ['Rome']],
      ['search=100%25', ['Paris']],
      ['search=%25', ['Paris']],
      ['search=_', ['Paris']],
      ['search=,+,', ['Rome', 'rome 2', 'Paris', 'Oslo', 'Bonn']],
      ['active=false', ['Paris']],
      ['active=1&visible=True', ['Rome', 'Oslo', 'Bonn']],
      ['visible=no', ['rome 2']],
      ['visibility_boost=true', ['Oslo']],
      ['visible=maybe', ['Rome', 'rome 2', 'Paris', 'Oslo', 'Bonn']],
      ['deleted=true', []],
      ['deleted=false', ['Rome', 'rome 2', 'Paris', 'Oslo', 'Bonn']],
      ['type=category', ['rome 2']],
      ['type=nope', []],
      ['ordering=name', ['Bonn', 'Oslo', 'Paris', 'Rome', 'rome 2']],
      ['ordering=-name', ['rome 2', 'Rome', 'Paris', 'Oslo', 'Bonn']],
      ['ordering=created_at', ['Bonn', 'Oslo', 'Paris', 'rome 2', 'Rome']],
      ['ordering=nope,-name', ['rome 2', 'Rome', 'Paris', 'Oslo', 'Bonn']],
      ['ordering=id', ['Rome', 'rome 2', 'Paris', 'Oslo', 'Bonn']],
    ])('of "%s" is %j', (query, expected) =>
      withFive(async (app) => {
        expect(await names(app, `/tag/?${query}`)).toEqual(expected);
        expect(await names(app, `/tag/search/?${query}`)).toEqual(expected);
        const { count } = (await call(app, `GET /tag?${query}`)).body;
        expect(count).toBe(expected.length);
      }),
    );

    test('of the search for users has only tags of that type', () =>
      withFive(async (app) => {
        expect(await names(app, '/tag/user/search/?search=rome')).toEqual(['Rome', 'Paris']);
        expect(await names(app, '/tag/user/search/?type=category')).toEqual([
          'Rome',
          'Paris',
          'Oslo',
        ]);
      }));

    test('costs two statements', () =>
      withFive(async (app) => {
        app.statements.length = 0;
        await call(app, 'GET /tag/?search=o&limit=2');
        expect(app.statements).toHaveLength(2);
      }));
  });
});
