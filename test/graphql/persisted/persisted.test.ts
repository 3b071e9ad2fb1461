import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { ADMIN, ANONYMOUS } from '../../../src/domain/viewer/viewer.ts';
import { parseManifest } from '../../../src/graphql/persisted/manifest.ts';
import { createResolveDocument } from '../../../src/graphql/persisted/persisted.ts';
import { readManifest } from '../../../src/start/manifest.ts';
import type { TestApp } from '../../support/app.ts';
import { post, run } from '../pipeline/operation.ts';

const VIEWER = '{ viewer { kind } }';
const CREATE_TAG = 'mutation { createTag(input: { name: "a" }) { __typename } }';
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const persisted = (sha256Hash: unknown, version: unknown = 1) => ({
  persistedQuery: { version, sha256Hash },
});

async function get(app: TestApp, parameters: Record<string, unknown>, accept = '*/*') {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    search.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  const response = await app.fetch(`/graphql?${search}`, { headers: { accept } });
  // biome-ignore lint/suspicious/noExplicitAny: the assertions of a test state the shape
  const { data, errors } = (await response.json()) as any;
  return { status: response.status, data, code: errors?.[0].extensions.code, errors };
}

describe('an automatic persisted query', () => {
  it.each(['application/json', 'application/graphql-response+json'])(
    'that is unknown is answered as clients expect, with status 200: %s',
    (accept) =>
      run(async (app) => {
        const extensions = persisted(sha256('{ unknown }'));
        for (const answer of [
          await post(app, { extensions, variables: {} }, { accept }),
          await get(app, { extensions }, accept),
        ]) {
          expect(answer).toMatchObject({ status: 200, code: 'PERSISTED_QUERY_NOT_FOUND' });
          expect(answer.errors).toEqual([
            {
              message: 'PersistedQueryNotFound',
              extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' },
            },
          ]);
        }
      }),
  );

  it('is known to everyone after one client has sent it, by POST or GET', () =>
    run(async (app) => {
      const extensions = persisted(sha256(VIEWER));
      const expected = { status: 200, data: { viewer: { kind: 'ANONYMOUS' } } };
      expect(await get(app, { query: VIEWER, extensions })).toMatchObject(expected);
      expect(await post(app, { extensions })).toMatchObject(expected);
      expect(await get(app, { extensions })).toMatchObject(expected);
    }));

  it('with the hash of another document is refused', () =>
    run(async (app) => {
      const answer = await post(app, { query: VIEWER, extensions: persisted(sha256('x')) });
      expect(answer).toMatchObject({ status: 400, code: 'PERSISTED_QUERY_HASH_MISMATCH' });
      expect(await post(app, { extensions: persisted(sha256(VIEWER)) })).toMatchObject({
        code: 'PERSISTED_QUERY_NOT_FOUND',
      });
    }));

  it('is not remembered if it is refused', () =>
    run(async (app) => {
      const extensions = persisted(sha256('{ nothing }'));
      expect(await post(app, { query: '{ nothing }', extensions })).toMatchObject({
        code: 'GRAPHQL_VALIDATION_FAILED',
      });
      expect((await post(app, { extensions })).code).toBe('PERSISTED_QUERY_NOT_FOUND');
    }));

  it.each([
    { persistedQuery: { version: 2, sha256Hash: 'a' } },
    { persistedQuery: { version: 1 } },
    { persistedQuery: { version: 1, sha256Hash: 7 } },
    { persistedQuery: 'a' },
    { persistedQuery: [] },
  ])('that is malformed is refused: %j', (extensions) =>
    run(async (app) => {
      expect(await post(app, { extensions })).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
    }),
  );

  it('that is a mutation runs by POST only', () =>
    run(async (app) => {
      const extensions = persisted(sha256(CREATE_TAG));
      expect((await get(app, { query: CREATE_TAG, extensions })).status).toBe(405);
      expect((await post(app, { query: CREATE_TAG, extensions })).status).toBe(200);
      expect((await get(app, { extensions })).status).toBe(405);
    }));

  test('many of them take bounded memory: the least recently used is forgotten', () => {
    const resolve = createResolveDocument(null);
    const register = (query: string) =>
      resolve({ query, extensions: persisted(sha256(query)) }, ANONYMOUS).remember?.();
    const isKnown = (query: string) => {
      try {
        return resolve({ extensions: persisted(sha256(query)) }, ANONYMOUS).params.query === query;
      } catch {
        return false;
      }
    };
    register(VIEWER);
    const others = Array.from({ length: 50 }, (_, index) => `{ a${index} }`.padEnd(50_000));
    for (const text of others.slice(0, 39)) register(text);
    expect(isKnown(VIEWER)).toBe(true);
    for (const text of others.slice(39)) register(text);
    expect(others.filter(isKnown).length).toBeLessThanOrEqual(40);
    expect(isKnown(others.at(-1) as string)).toBe(true);
  });
});

describe('an id of a document', () => {
  it.each(['documentId', 'id', 'doc_id'])('`%s` is refused without a manifest', (name) =>
    run(async (app) => {
      expect(await post(app, { [name]: 'a' })).toMatchObject({
        status: 400,
        code: 'PERSISTED_QUERY_NOT_SUPPORTED',
      });
      expect(await post(app, { [name]: 'a', query: VIEWER })).toMatchObject({ status: 200 });
    }),
  );

  it.each(['documentId', 'id', 'doc_id'])('`%s` of another type than a string is refused', (name) =>
    run(async (app) => {
      for (const query of [undefined, null, '']) {
        const answer = await post(app, { [name]: 5, query });
        expect(answer).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
      }
      const { errors } = await post(app, { [name]: 5 });
      expect(errors[0].message).toContain(`\`${name}\``);
      expect(await post(app, { [name]: 5, query: VIEWER })).toMatchObject({ status: 200 });
    }),
  );
});

describe('with TRIVIUM_PERSISTED_ONLY', () => {
  const HASH = sha256(VIEWER);
  const manifest = { [HASH]: VIEWER, 'sha1-of-codegen': CREATE_TAG };
  const withManifest = async (work: (app: TestApp) => Promise<void>) => {
    const file = join(tmpdir(), `trivium-manifest-${process.pid}.json`);
    await writeFile(file, JSON.stringify(manifest));
    await run(work, { TRIVIUM_PERSISTED_ONLY: file });
  };

  it('a document of the manifest runs, by each of the names that clients use', () =>
    withManifest(async (app) => {
      const named = [
        { documentId: HASH },
        { documentId: `sha256:${HASH}` },
        { id: HASH },
        { doc_id: HASH },
        { extensions: persisted(HASH) },
        { doc_id: HASH, query: null },
        // The text of the manifest counts.
        { extensions: persisted(HASH), query: '{ tags { totalCount } }' },
      ];
      const expected = { status: 200, data: { viewer: { kind: 'ANONYMOUS' } } };
      for (const body of named) expect(await post(app, body)).toMatchObject(expected);
      for (const { query, ...rest } of named as { query?: unknown }[]) {
        expect(await get(app, rest)).toMatchObject(expected);
      }
      expect(await get(app, { id: 'sha1-of-codegen' })).toMatchObject({ status: 405 });
    }));

  it('a hash of the manifest that says how it is made is found by the bare hash, too', () => {
    const resolve = createResolveDocument(
      parseManifest(JSON.stringify({ [`sha256:${HASH}`]: VIEWER })),
    );
    for (const body of [
      { documentId: HASH },
      { documentId: `sha256:${HASH}` },
      { id: HASH },
      { doc_id: HASH },
      { extensions: persisted(HASH) },
    ]) {
      expect(resolve(body, ANONYMOUS).params.query).toBe(VIEWER);
    }
  });

  it('any other document is refused, also as one of a batch', () =>
    withManifest(async (app) => {
      const others = [
        { query: VIEWER },
        { query: '{ __schema { queryType { name } } }' },
        { documentId: 'other' },
        { query: CREATE_TAG, extensions: persisted(sha256(CREATE_TAG)) },
        { extensions: persisted(sha256(CREATE_TAG)) },
        {},
        { documentId: '__proto__' },
        { id: 'constructor' },
      ];
      for (const body of others) {
        expect(await post(app, body)).toMatchObject({ status: 403, code: 'PERSISTED_QUERY_ONLY' });
      }
      const batch = JSON.stringify([{ id: HASH }, { query: VIEWER }]);
      const headers = { 'content-type': 'application/json' };
      const response = await app.fetch('/graphql', { method: 'POST', headers, body: batch });
      expect(await response.json()).toMatchObject([
        { data: { viewer: { kind: 'ANONYMOUS' } } },
        { errors: [{ extensions: { code: 'PERSISTED_QUERY_ONLY' } }] },
      ]);
    }));

  it('an admin runs any document', () =>
    withManifest(async (app) => {
      const headers = { authorization: `Bearer ${app.adminKey}` };
      expect(await post(app, { query: VIEWER }, headers)).toMatchObject({
        data: { viewer: { kind: 'KEY' } },
      });
    }));
});

describe('a manifest', () => {
  const APOLLO = {
    format: 'apollo-persisted-query-manifest',
    version: 1,
    operations: [{ id: 'a', name: 'A', type: 'query', body: VIEWER }],
  };

  it('of codegen, Relay or Apollo is read', () => {
    const expected = new Map([['a', VIEWER]]);
    expect(parseManifest(JSON.stringify({ a: VIEWER }))).toEqual(expected);
    expect(parseManifest(JSON.stringify(APOLLO))).toEqual(expected);
    expect(parseManifest(`\ufeff${JSON.stringify(APOLLO)}`)).toEqual(expected);
  });

  it.each([
    ['{', 'it is not JSON'],
    ['[]', 'expected an object of documents by their hashes or a manifest of Apollo'],
    ['{}', 'it has no documents'],
    ['{"a":1}', '"a" has none'],
    ['{"a":"{"}', 'the document "a" is malformed: Syntax Error'],
    [JSON.stringify({ ...APOLLO, version: 2 }), 'expected a manifest of Apollo'],
    [JSON.stringify({ ...APOLLO, operations: [{ id: 'a' }] }), 'must have an `id` and a `body`'],
    [
      JSON.stringify({ ...APOLLO, operations: [...APOLLO.operations, { id: 'a', body: '{ b }' }] }),
      'two documents with the id "a"',
    ],
  ])('that is wrong is refused: %s', (text, message) => {
    expect(() => parseManifest(text)).toThrow(message);
  });

  it('that cannot be read is an error of the configuration, which names the setting and the path', async () => {
    const path = join(tmpdir(), 'trivium-no-such-manifest.json');
    await expect(readManifest(path)).rejects.toThrow(
      `TRIVIUM_PERSISTED_ONLY: the manifest ${path} cannot be read: ENOENT`,
    );
  });

  it('lets an admin register documents beside it', () => {
    const resolve = createResolveDocument(new Map([['a', VIEWER]]));
    expect(resolve({ id: 'a' }, ANONYMOUS).params).toEqual({ query: VIEWER });
    const extensions = persisted(sha256(CREATE_TAG));
    expect(resolve({ query: CREATE_TAG, extensions }, ADMIN).params.query).toBe(CREATE_TAG);
  });
});
