import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, expect, test, vi } from 'vitest';
import { createAnswerCheck, loadDocument } from '../support/openapi.ts';
import { type ServerProcess, withDataDir, withServerProcess } from '../support/process.ts';
import { linkEmbed, newTag } from '../support/selfcommunity.ts';
import { fixture } from '../support/temporary-file.ts';

// §7: CommonJS; Node cannot load its other build.
const require = createRequire(import.meta.url);
const sdk = require('@selfcommunity/api-services') as typeof import('@selfcommunity/api-services');
const { http, MediaService, TagService, Endpoints, MediaTypes, apiRequest } = sdk;

const JWT_SECRET = 'the-secret-of-the-acceptance-run';
const ADMIN_KEY = 'the-admin-key-of-the-test';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

// biome-ignore lint/suspicious/noExplicitAny: the SDK's types know fewer fields than the contract
type Loose = any;

interface Run extends ServerProcess {
  /** Continues as this user of the community; anonymous without one. */
  as: (userId?: number) => Promise<void>;
}

/** Operations of the document that some test has called, and all operations. */
const answered = new Set<string>();
let documented: string[] = [];

afterAll(() => {
  expect(documented.filter((name) => !answered.has(name))).toEqual([]);
});

/**
 * Lends the SDK, set to a server in a process of its own. Checks every response, errors included, against the server's
 * own OpenAPI document.
 */
function withSdk(work: (run: Run) => Promise<void>, variables = {}): Promise<void> {
  return withDataDir((TRIVIUM_DATA_DIR) =>
    withServerProcess(
      {
        TRIVIUM_DATA_DIR,
        TRIVIUM_JWT_SECRET: JWT_SECRET,
        TRIVIUM_ADMIN_KEY: ADMIN_KEY,
        // No test should depend on the pages of links.
        TRIVIUM_JOB_CONCURRENCY: '0',
        ...variables,
      },
      async (server) => {
        const document = await loadDocument(`${server.url}/api/v2/openapi.json`);
        const check = createAnswerCheck(document);
        const problems: string[] = [];
        const note = ({ config, status, headers, data }: Loose) =>
          problems.push(
            ...check.problemsOf({
              method: config.method,
              url: config.url,
              status,
              contentType: headers['content-type'] ?? null,
              body: data,
            }),
          );
        const { interceptors } = (http as Loose).getClientInstance();
        const id = interceptors.response.use(
          (answer: Loose) => {
            note(answer);
            return answer;
          },
          (error: Loose) => {
            if (error.response) note(error.response);
            return Promise.reject(error);
          },
        );
        http.setBasePortal(server.url);
        // The SDK logs every refusal to the console.
        const quiet = vi.spyOn(console, 'warn').mockImplementation(() => {});
        const as = async (userId?: number) =>
          http.setAuthorizeToken(
            userId === undefined
              ? undefined
              : await sdk.generateJWTToken(userId as Loose, JWT_SECRET, '2h'),
          );
        try {
          await as(1);
          await work({ ...server, as });
          expect(problems).toEqual([]);
          for (const name of check.seen) answered.add(name.split(' ')[0]!);
          documented = Object.values(document.paths).flatMap((item) =>
            Object.values(item).map(({ operationId }) => operationId),
          );
        } finally {
          interceptors.response.eject(id);
          quiet.mockRestore();
        }
      },
    ),
  );
}

/** Returns the status of a refusal, its code in the form of the SDK, and its body. */
async function refusalOf(call: Promise<unknown>) {
  const error: Loose = await call.then(
    () => expect.unreachable('The call was not refused.'),
    (error: unknown) => error,
  );
  const { status, data, headers } = error.response;
  return {
    status,
    data,
    headers,
    code: sdk.formatHttpErrorCode(error),
    message: sdk.formatHttpError(error),
  };
}

test('a link is created, read, clicked, given an image, and deleted', () =>
  withSdk(async () => {
    const url = 'https://www.google.it/';
    const made: Loose = await MediaService.createMedia({ type: MediaTypes.URL, url });
    expect(made).toMatchObject({ type: 'url', url, title: url, image: null, order: 0 });
    expect(made.hash_code).toMatch(UUID);
    expect(made.embed).toEqual(linkEmbed(made.id, url));
    expect(new URL(made.embed.metadata.url).href).toBe(url);
    expect(await MediaService.getSpecificMedia(made.id)).toEqual(made);
    expect(await MediaService.clickMedia(made.id)).toBe('');
    expect(await MediaService.clickMedia(made.id, '10.0.0.1')).toBe('');
    const image = 'https://example.com/i.png';
    const changed: Loose = await MediaService.updateMedia(made.id, image);
    expect(changed).toMatchObject({ id: made.id, image, url });
    expect(changed.embed.metadata.images).toEqual([image]);
    expect(await MediaService.getSpecificMedia(made.id)).toEqual(changed);
    expect(await MediaService.deleteMedia(made.id)).toBe('');
    const gone = await refusalOf(MediaService.getSpecificMedia(made.id));
    expect(gone).toMatchObject({
      status: 404,
      code: { error: 'not_found' },
      message: { error: 'Not found.' },
    });
  }));

test('an embed keeps its values, nested and flat', () =>
  withSdk(async () => {
    const embed = {
      embed_type: 'my_type',
      embed_id: '42',
      url: 'https://example.com/x',
      metadata: { title: 't' },
    };
    const made: Loose = await MediaService.createMedia({ type: MediaTypes.EMBED, embed } as Loose);
    const { id } = made;
    expect(made).toMatchObject({ embed_type: 'my_type', embed_id: '42', url: embed.url });
    expect(made.embed).toEqual({ id, ...embed });
  }));

test('a contribution and an event are shared', () =>
  withSdk(async () => {
    const post: Loose = await MediaService.createMedia({
      type: MediaTypes.SHARE,
      shared_object: 5,
    } as Loose);
    expect(post.embed).toMatchObject({
      embed_type: 'sc_shared_object',
      embed_id: '5',
      metadata: { id: 5 },
    });
    const event: Loose = await MediaService.createMedia({
      type: MediaTypes.SHARE,
      event_object: 6,
    } as Loose);
    expect(event.embed).toMatchObject({ embed_type: 'sc_shared_event', metadata: { id: 6 } });
  }));

test('the faults of a media item are reported by field, with codes that the SDK can translate', () =>
  withSdk(async () => {
    const refused = await refusalOf(MediaService.createMedia({ type: MediaTypes.URL, url: 'no' }));
    expect(refused).toMatchObject({
      status: 400,
      data: { url: ['Enter a valid URL.'] },
      code: { urlError: { error: 'invalid' } },
      message: { urlError: { error: 'Enter a valid URL.' } },
    });
    const none = await refusalOf(MediaService.createMedia({} as Loose));
    expect(none.code).toEqual({ typeError: { error: 'required' } });
    const half = await refusalOf(MediaService.createMedia({ type: 'embed', embed: {} } as Loose));
    expect(half.code).toEqual({
      embedTypeError: { error: 'required' },
      embedIdError: { error: 'required' },
    });
  }));

test('only its creator changes and deletes a media item', () =>
  withSdk(async ({ as }) => {
    const made = await MediaService.createMedia({ type: MediaTypes.URL, url: 'https://x.org/' });
    const change = () => MediaService.updateMedia(made.id, 'https://x.org/i.png');
    await as(2);
    expect(await refusalOf(change())).toMatchObject({
      status: 403,
      code: { error: 'permission_denied' },
    });
    expect((await refusalOf(MediaService.deleteMedia(made.id))).status).toBe(403);
    await as();
    const anonymous = await refusalOf(MediaService.deleteMedia(made.id));
    expect(anonymous).toMatchObject({ status: 401, code: { error: 'not_authenticated' } });
    expect(anonymous.headers['www-authenticate']).toBe('Bearer realm="api"');
    http.setAuthorizeToken('x.y.z');
    const bad = await refusalOf(MediaService.getSpecificMedia(made.id));
    expect(bad).toMatchObject({ status: 401, code: { error: 'authentication_failed' } });
    await as(1);
    expect(await MediaService.deleteMedia(made.id)).toBe('');
  }));

test('a file is uploaded in chunks and becomes a media item', () =>
  withSdk(async () => {
    const bytes = readFileSync(fixture('document.pdf'));
    const md5 = createHash('md5').update(bytes).digest('hex');
    const end = bytes.length - 1;
    const form = () => {
      const data = new FormData();
      data.set('document', new File([bytes], 'report.pdf', { type: 'application/pdf' }));
      return data as Loose;
    };
    // §7: as it is shipped, the helper turns the form into JSON.
    const broken = await refusalOf(MediaService.chunkUploadMedia(form(), 0, end, bytes.length));
    expect(broken).toMatchObject({ status: 400, data: { detail: 'No chunk file was submitted' } });
    const session: Loose = await http.request({
      url: Endpoints.ComposerChunkUploadMedia!.url({}),
      method: 'POST',
      data: form(),
      headers: {
        'Content-Type': 'multipart/form-data',
        'Content-Range': `bytes 0-${end}/${bytes.length}`,
      },
    });
    const { upload_id } = session.data;
    const media: Loose = await MediaService.chunkUploadMediaComplete({
      type: 'doc',
      upload_id,
      md5,
    } as Loose);
    expect(media).toMatchObject({ type: 'doc', title: 'report.pdf', size: bytes.length });
    expect(await MediaService.getSpecificMedia(media.id)).toEqual(media);
    const sent = await fetch(media.url);
    expect(Buffer.from(await sent.arrayBuffer()).equals(bytes)).toBe(true);
    expect(
      (await refusalOf(MediaService.updateMedia(media.id, 'https://x.org/i.png'))).status,
    ).toBe(400);
    await MediaService.deleteMedia(media.id);
    expect((await fetch(media.url)).status).toBe(404);
  }));

test('a tag is created, read, changed, patched, assigned, and deleted', () =>
  withSdk(async () => {
    const made: Loose = await TagService.createTag({ name: 'abc', description: 'd' } as Loose);
    expect(made).toEqual(
      newTag(expect.any(Number), expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)),
    );
    const { id } = made;
    expect(await TagService.getSpecificTag(id)).toEqual(made);
    const put = await TagService.updateTag(id, { name: 'abc', visible: false } as Loose);
    expect(put).toEqual({ ...made, visible: false });
    const patched = await TagService.patchTag(id, { active: false } as Loose);
    expect(patched).toEqual({ ...made, visible: false, active: false });
    expect(await TagService.patchTag(id)).toEqual(patched);
    const empty = await refusalOf(TagService.updateTag(id));
    expect(empty).toMatchObject({ status: 400, code: { nameError: { error: 'required' } } });
    expect(await TagService.assignATag(id, 7)).toBe('');
    expect(await TagService.assignATag(id, undefined as Loose, 3)).toBe('');
    expect(await apiRequest({ url: `/api/v2/tag/${id}/`, method: 'DELETE' })).toBe('');
    expect((await refusalOf(TagService.getSpecificTag(id))).code).toEqual({ error: 'not_found' });
  }));

test('tags are listed by page, filtered, and searched', () =>
  withSdk(async ({ url }) => {
    for (let index = 1; index <= 12; index++) {
      await TagService.createTag({
        name: `tag ${index}`,
        description: index % 2 ? 'odd a+b' : 'even',
        visible: index !== 1,
        type: index === 3 ? 'category' : 'user',
      } as Loose);
    }
    const first: Loose = await TagService.getAllTags();
    expect(first).toMatchObject({ count: 12, previous: null });
    expect(first.next).toBe(`${url}/api/v2/tag/?limit=10&offset=10`);
    expect(first.results.map((tag: Loose) => tag.name).slice(0, 2)).toEqual(['tag 12', 'tag 11']);
    const second = await apiRequest({ url: first.next, method: 'GET' });
    expect(second).toMatchObject({
      count: 12,
      next: null,
      previous: `${url}/api/v2/tag/?limit=10`,
    });
    expect(second.results).toHaveLength(2);
    const params = { limit: 10, offset: 0, search: 'odd a+b', active: true, visible: false };
    expect((await TagService.getAllTags(params as Loose)).results.map(({ name }) => name)).toEqual([
      'tag 1',
    ]);
    const users: Loose = await TagService.searchUserTags({ search: 'tag' } as Loose);
    expect(users.count).toBe(11);
    expect((await TagService.searchUserTags({ search: '' } as Loose)).count).toBe(11);
    expect((await TagService.searchUserTags()).count).toBe(11);
  }));

test('operations of the documents without a method in the SDK work through its client', () =>
  withSdk(async ({ url }) => {
    const { id } = await TagService.createTag({ name: 'abc' } as Loose);
    for (const verb of ['add', 'remove']) {
      const data = { user: 7 };
      expect(await apiRequest({ url: `/api/v2/tag/${id}/${verb}/`, method: 'POST', data })).toBe(
        '',
      );
    }
    const found = await apiRequest({ url: '/api/v2/tag/search/?search=AB', method: 'GET' });
    expect(found).toMatchObject({ count: 1, results: [{ id }] });
    const made = await MediaService.createMedia({ type: MediaTypes.URL, url: 'https://x.org/' });
    const image = 'https://x.org/i.png';
    const patch = { url: `/api/v2/media/${made.id}/`, method: 'PATCH' as const };
    expect(await apiRequest({ ...patch, data: { image } })).toMatchObject({ image });
    const document = await apiRequest({ url: '/api/v2/openapi.json', method: 'GET' });
    expect(document.servers).toEqual([{ url: `${url}/api/v2` }]);
    const list = await refusalOf(apiRequest({ url: '/api/v2/media/', method: 'GET' }));
    expect(list).toMatchObject({ status: 405, code: { error: 'method_not_allowed' } });
    expect(list.headers.allow).toBe('POST, OPTIONS');
  }));

test('if every write needs a credential, users write media and tags, and admins change tags', () =>
  withSdk(
    async ({ as }) => {
      const link = { type: MediaTypes.URL, url: 'https://x.org/' };
      const tag = { name: 'abc' } as Loose;
      const made = await MediaService.createMedia(link);
      const { id } = await TagService.createTag(tag);
      expect((await refusalOf(TagService.patchTag(id, tag))).code).toEqual({
        error: 'permission_denied',
      });
      http.setAuthorizeToken(ADMIN_KEY);
      await TagService.patchTag(id, tag);
      await as();
      expect((await TagService.getSpecificTag(id)).name).toBe('abc');
      for (const call of [
        () => MediaService.createMedia(link),
        () => MediaService.getSpecificMedia(made.id),
        () => TagService.createTag(tag),
        () => TagService.patchTag(id, tag),
      ]) {
        expect((await refusalOf(call())).code).toEqual({ error: 'not_authenticated' });
      }
    },
    { TRIVIUM_AUTH: 'required' },
  ));
