import { expect, it } from 'vitest';
import type { TestApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { fixtureBytes } from '../support/bytes.ts';
import { shareApp } from '../support/shared-app.ts';

const NFD = 'Sen\u0303or U\u0308nder';
const NFC = 'Señor Ünder';
/** Names that show nothing. */
const BLANK = ['\u200b', '\u200d\u2060', '\u3164', '\u202e\u202c', '\u2800'];

const PICTURE = new Uint8Array(fixtureBytes('picture.png'));

async function fetchJson(app: TestApp, path: string, init: RequestInit = {}) {
  const isJson = typeof init.body === 'string';
  const headers = {
    'api-key': app.adminKey,
    ...(isJson && { 'content-type': 'application/json' }),
  };
  const response = await app.fetch(path, { ...init, headers });
  const text = await response.text();
  return { status: response.status, body: text === '' ? null : JSON.parse(text) };
}

async function graphql(app: TestApp, query: string, variables: object = {}) {
  const body = JSON.stringify({ query, variables });
  const { body: answer } = await fetchJson(app, '/graphql', { method: 'POST', body });
  expect(answer.errors).toBeUndefined();
  return answer.data;
}

const post = (body: object): RequestInit => ({ method: 'POST', body: JSON.stringify(body) });

const CREATE_FOLDER = `mutation($name: String!) { result: createFolder(input: { name: $name }) {
  ... on CreateFolderSuccess { folder { databaseId name } } ... on Error { code message } } }`;
const CREATE_TAG = `mutation($name: String!) { result: createTag(input: { name: $name }) {
  ... on CreateTagSuccess { tag { databaseId name } } ... on Error { code message } } }`;

describeEachBackend('a name', (backend) => {
  const app = shareApp(backend);

  it('of a folder is found by its path in any form', async () => {
    const { result } = await graphql(app(), CREATE_FOLDER, { name: ` ${NFD}\u200f` });
    expect(result.folder.name).toBe(NFC);
    const query = 'query($path: String!) { folder(by: { path: $path }) { databaseId } }';
    for (const path of [`/${NFC}`, `/${NFD}`, `/ ${NFD}\u200e/`]) {
      const { folder } = await graphql(app(), query, { path });
      expect(folder, path).toEqual({ databaseId: result.folder.databaseId });
    }
  });

  it('of a tag is found by filters and searches in any form, in both dialects', async () => {
    const { result } = await graphql(app(), CREATE_TAG, { name: NFD });
    const { databaseId } = result.tag;
    const query = `query($filter: TagFilter) { tags(filter: $filter) { nodes { databaseId } } }`;
    for (const text of [NFC, NFD]) {
      for (const filter of [{ name: text }, { search: text }]) {
        const { tags } = await graphql(app(), query, { filter });
        expect(tags.nodes, JSON.stringify(filter)).toEqual([{ databaseId }]);
      }
      const found = await fetchJson(app(), `/api/v2/tag/?search=${encodeURIComponent(text)}`);
      expect(found.body.results).toMatchObject([{ id: databaseId, name: NFC }]);
    }
  });

  it('is stored in NFC by Heartcore and SelfCommunity', async () => {
    const folder = { mediaTypeAlias: 'Folder', name: `H ${NFD}` };
    const created = await fetchJson(app(), '/media', post(folder));
    expect(created).toMatchObject({ status: 201, body: { name: `H ${NFC}` } });
    const tag = await fetchJson(app(), '/api/v2/tag/', post({ name: `S ${NFD}` }));
    expect(tag).toMatchObject({ status: 201, body: { name: `S ${NFC}` } });
    const url = 'https://example.org/e\u0301';
    const link = { type: 'url', url, title: `${NFD}\u202e` };
    const media = await fetchJson(app(), '/api/v2/media/', post(link));
    expect(media).toMatchObject({ status: 201, body: { title: NFC } });
    const last = app().services.db.selectFrom('media').select(['name', 'url']);
    const row = await last.orderBy('id', 'desc').limit(1).executeTakeFirst();
    // An address is not a name.
    expect(row).toEqual({ name: NFC, url });
  });

  it.each(BLANK)('of invisible characters only is blank: %j', async (name) => {
    for (const mutation of [CREATE_FOLDER, CREATE_TAG]) {
      const { result } = await graphql(app(), mutation, { name });
      expect(result).toMatchObject({ code: 'INVALID_INPUT' });
      expect(result.message).toContain('blank');
    }
    const folder = await fetchJson(app(), '/media', post({ mediaTypeAlias: 'Folder', name }));
    expect(folder.status).toBe(422);
    const tag = await fetchJson(app(), '/api/v2/tag/', post({ name }));
    expect(tag).toMatchObject({ status: 400 });
    expect(JSON.stringify(tag.body)).toContain('name');
  });

  it('of a resource and a key is found by the same bytes, and in NFC', async () => {
    const [resource, key] = ['re\u0301source\u200d', 'cle\u0301'];
    const body = new FormData();
    body.set('media', new File([PICTURE], 'a.png', { type: 'image/png' }));
    const path = (form: string) =>
      `${encodeURIComponent(resource.normalize(form))}/${encodeURIComponent(key.normalize(form))}`;
    const sent = await fetchJson(app(), `/medias/files/${path('NFD')}`, { method: 'POST', body });
    expect(sent.status).toBe(200);
    const id = sent.body.data.id;
    for (const form of ['NFD', 'NFC']) {
      const info = await fetchJson(app(), `/medias/info/${path(form)}`);
      expect(info, form).toMatchObject({ status: 200, body: { data: { id } } });
      const again = await fetchJson(app(), `/medias/files/${path(form)}`, { method: 'POST', body });
      expect(again.body.errors, form).toMatchObject([{ code: 'already_exists' }]);
      const filters = [
        `filter[resource]=${encodeURIComponent(resource.normalize(form))}`,
        `filter[key__prefix]=${encodeURIComponent(key.normalize(form))}`,
      ];
      for (const filter of filters) {
        const list = await fetchJson(app(), `/medias?${filter}`);
        expect(list.body.data, filter).toMatchObject([{ id }]);
      }
    }
  });
});
