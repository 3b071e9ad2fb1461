import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { filesByMediaIds } from '../../../src/domain/file/file.ts';
import { createFolder } from '../../../src/domain/tree/folder.ts';
import { uploadFile } from '../../../src/domain/upload/upload-file.ts';
import { type TestApp, user, withApp } from '../../support/app.ts';
import { BACKENDS, describeEachBackend } from '../../support/backend.ts';
import { inPieces } from '../../support/bytes.ts';
import { quadrants } from '../../support/image.ts';
import { makeKey, makeTag } from '../../support/make.ts';
import { sendRaw, sendWith } from '../../support/raw-request.ts';

const SQLITE = BACKENDS[0]!;

/** Headers of every response, as the package `helmet` sets them. */
const EVERYWHERE = [
  'origin-agent-cluster',
  'referrer-policy',
  'strict-transport-security',
  'x-content-type-options',
  'x-dns-prefetch-control',
  'x-download-options',
  'x-permitted-cross-domain-policies',
  'x-xss-protection',
  'cross-origin-resource-policy',
];

/** Headers of all but files, which pages of other sites embed. */
const EXCEPT_FILES = ['content-security-policy', 'cross-origin-opener-policy', 'x-frame-options'];

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

type Viewers = Readonly<Record<string, Record<string, string>>>;

/** Returns the paths of all routes with `GET`, from the tree that Fastify prints. */
function pathsOf({ app }: TestApp): string[] {
  const parents: string[] = [];
  const lines = app.server.printRoutes({ commonPrefix: false }).split('\n');
  return lines.flatMap((line) => {
    const [, indent = '', part = '', methods = ''] =
      /^([│├└─ ]*)(.+) \(([A-Z, ]+)\)$/.exec(line) ?? [];
    if (part === '') return [];
    const depth = indent.length / 4 - 1;
    parents.length = Math.max(depth, 0);
    const path = parents.join('') + part;
    parents.push(part === '/' && depth === 0 ? '/' : part);
    return methods.split(', ').includes('GET') ? [path] : [];
  });
}

/** Creates a private and a public image, and viewers who see different parts of them. */
async function makeLibrary(app: TestApp) {
  const { services } = app;
  const ctx = { ...services, log: app.app.log, viewer: user('owner', 'admin') };
  const folder = await createFolder(ctx, { name: 'Partners' });
  const bytes = await quadrants(400, 200).png().toBuffer();
  const upload = async (isPublic: boolean, folderId: number | null) => {
    const input = { filename: 'a.png', isPublic, folderId, bytes: inPieces(bytes) };
    return uploadFile(ctx, input);
  };
  const [hidden, shown] = [await upload(false, null), await upload(true, folder.id)];
  const files = await filesByMediaIds(ctx, [hidden.id]);
  const tag = await makeTag(services.db, { name: 'a tag' });
  const key = (role: 'reader' | 'editor', startNodes?: string[]) =>
    makeKey(services, { name: role, role, startNodes });
  const viewers: Viewers = {
    anonymous: {},
    reader: { authorization: `Bearer ${await key('reader')}` },
    editor: { 'api-key': await key('editor') },
    limited: { 'api-key': await key('editor', ['/Partners']) },
    admin: { cookie: `auth-token=${app.adminKey}` },
    unknown: { authorization: 'Bearer tvm_unknown' },
  };
  return { hidden, shown, tag, url: files.get(hidden.id)![0]!.urlPath, viewers };
}

type Library = Awaited<ReturnType<typeof makeLibrary>>;

/** Returns requests for a route, with values for its parameters. */
function requestsFor(path: string, { hidden, shown, tag, url }: Library): string[] {
  if (path.includes(':dir'))
    return [url, `${url}?width=101`, `${url}?width=200`, `${url}?width=103&format=webp`];
  if (path === '/graphql') {
    const queries = ['{ viewer { id } medias(first: 9) { totalCount nodes { uuid } } }', '{ no }'];
    return queries.map((query) => `/graphql?query=${encodeURIComponent(query)}`);
  }
  const ids = path.startsWith('/api/v2/tag')
    ? [tag.id]
    : path.startsWith('/media')
      ? [hidden.uuid, shown.uuid]
      : [hidden.id, shown.id];
  return ids.map((id) =>
    path
      .replace(':id', String(id))
      .replace(':alias', 'Image')
      .replace(':resource', randomUUID())
      .replace(':key', 'k')
      .replace('*', 'x'),
  );
}

function isShared({ headers }: Answer): boolean {
  return !/\b(private|no-store)\b/.test(headers['cache-control'] ?? '');
}

/** Tells whether a cache keeps the responses for different credentials apart. */
function variesByViewer({ headers }: Answer): boolean {
  const names = (headers.vary ?? '').toLowerCase().split(/, */);
  return ['authorization', 'api-key', 'cookie'].every((name) => names.includes(name));
}

/** The files of GraphiQL are the same for everyone. */
function isOfGraphiql(target: string): boolean {
  return target.startsWith('/graphql/graphiql-');
}

/** Returns what a viewer sees of a response. Ids of requests differ each time. */
function seen({ status, body }: Answer): string {
  return `${status} ${body.replaceAll(/"id":"[0-9a-f-]{36}"/g, '')}`;
}

describeEachBackend('the responses of every route', (backend) => {
  it('for different viewers are kept apart by shared caches', { timeout: 60_000 }, () =>
    withApp(
      backend,
      async (app) => {
        const library = await makeLibrary(app);
        const paths = pathsOf(app);
        expect(paths).toEqual(
          expect.arrayContaining([
            '/graphql',
            '/media/:id/children',
            '/api/v2/tag/:id',
            '/jobs/:id',
          ]),
        );
        const faults: string[] = [];
        const depending = new Set<string>();
        for (const target of new Set(paths.flatMap((path) => requestsFor(path, library)))) {
          const answers: Answer[] = [];
          for (const headers of Object.values(library.viewers)) {
            const answer = (await sendWith(app, `GET ${target}`, headers)) as Answer;
            answers.push(answer);
            faults.push(...missingHeaders(answer).map((name) => `${target} lacks ${name}`));
            const isForAll = isFile(answer) || isRevalidated(answer) || isOfGraphiql(target);
            if (isShared(answer) && !isForAll) faults.push(`${target} is not private`);
          }
          if (new Set(answers.map(seen)).size === 1) continue;
          depending.add(target);
          // A 401 for a wrong credential says nothing of the resource.
          const valid = new Set(answers.slice(0, -1).map(seen)).size > 1;
          if (answers.some((answer) => isShared(answer) && valid && !variesByViewer(answer))) {
            faults.push(`${target} is shared`);
          }
        }
        expect(faults).toEqual([]);
        expect([...depending]).toEqual(
          expect.arrayContaining(['/media', '/jobs', '/medias', `${library.url}?width=101`]),
        );
      },
      { TRIVIUM_AUTH: 'required', TRIVIUM_GRAPHIQL: 'on' },
    ),
  );
});

/** Tells whether caches ask the server before they use the response: they may keep the results of GraphQL. */
function isRevalidated(answer: Answer): boolean {
  const { 'cache-control': control, etag } = answer.headers;
  return control === 'public, no-cache' && etag !== undefined && variesByViewer(answer);
}

function isFile({ status, headers }: Answer): boolean {
  return status === 200 && 'content-disposition' in headers;
}

function missingHeaders(answer: Answer): string[] {
  const expected = isFile(answer) ? EVERYWHERE : [...EVERYWHERE, ...EXCEPT_FILES];
  return ['cache-control', ...expected].filter((name) => !(name in answer.headers));
}

describe('the size of a rendition', () => {
  it('makes a response depend on the viewer only if it would be rounded', () =>
    withApp(SQLITE, async (app) => {
      const { url } = await makeLibrary(app);
      const varyOf = async (query: string) =>
        (await sendWith(app, `GET ${url}${query}`)).headers.vary;
      expect(await varyOf('')).toBe('Origin');
      expect(await varyOf('?width=200')).toBe('Origin');
      expect(await varyOf('?width=201')).toBe('Origin, Authorization, Api-Key, Cookie');
    }));
});

describe('a connection whose bytes are no request', () => {
  it.each([
    ['GET / HTTP/1.1\r\nHost localhost\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ])('is answered with the same headers: %.30s', (text, status) =>
    withApp(SQLITE, async (app) => {
      const answer = await sendRaw(app, Buffer.from(text));
      expect(answer?.status).toBe(status);
      expect(JSON.parse(answer?.body ?? '')).toMatchObject({ statusCode: status });
      expect(missingHeaders(answer as Answer)).toEqual([]);
    }),
  );
});
