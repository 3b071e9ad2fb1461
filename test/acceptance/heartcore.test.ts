import { execFile } from 'node:child_process';
import { createReadStream, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { runTrivium, withDataDir, withServerProcess } from '../support/process.ts';
import { share } from '../support/share.ts';
import { fixture } from '../support/temporary-file.ts';

const require = createRequire(import.meta.url);
const clientPath = require.resolve('@umbraco/headless-client');
const { Client } = require(clientPath) as typeof import('@umbraco/headless-client');
/** Contract §9: the client knows a form by its own copy of this class, and treats any other object as JSON. */
const ofClient = createRequire(clientPath);
const formDataPath = ofClient.resolve('form-data');
const FormData = ofClient(formDataPath);

const API_KEY = 'the-key-of-the-acceptance-run';
const PICTURE = readFileSync(fixture('picture.png'));
const OTHER = readFileSync(fixture('picture.webp'));
const UNKNOWN = '17fb8303-2b56-41bf-9681-1f0b087cad30';

// biome-ignore lint/suspicious/noExplicitAny: the client's types know fewer fields than the contract
type Loose = any;

interface Run {
  url: string;
  dataDir: string;
  media: Loose;
  types: Loose;
}

/** The client, set to one server in a process of its own by contract §9's hybrid options. */
let run: Run;
const sharedRun = share<Run>((work) =>
  withDataDir((dataDir) =>
    withServerProcess({ TRIVIUM_DATA_DIR: dataDir, TRIVIUM_ADMIN_KEY: API_KEY }, ({ url }) => {
      const { media, mediaType } = clientOf(url).management as Loose;
      return work({ url, dataDir, media, types: mediaType });
    }),
  ),
);

beforeAll(() => {
  run = sharedRun();
});

function clientOf(url: string, apiKey = API_KEY) {
  const at = { apiProxyUrl: url, cdnProxyUrl: url };
  return new Client({ projectAlias: 'my-project', apiKey, ...at } as Loose);
}

/** Creates the form of `examples/uploadImageFile.js`, without a name if none is given. */
function toForm(content: object, file: unknown, options?: object): Loose {
  const form = new FormData();
  form.append('content', JSON.stringify(content));
  form.append('umbracoFile', file, options);
  return form;
}

async function download(url: string, path: string): Promise<Buffer | number> {
  const response = await fetch(url + path);
  return response.ok ? Buffer.from(await response.arrayBuffer()) : response.status;
}

/** Returns the error that the client throws: contract §8 identifies it by its name. */
async function failure(call: Promise<unknown>) {
  const error = (await call.catch((error: unknown) => error)) as Loose;
  expect(error.name).toBe('APIRequestError');
  return { status: error.response.status, data: error.data };
}

describe('@umbraco/headless-client', () => {
  it('manages the tree from an empty root to an empty root', async () => {
    const { url, media, types } = run;
    expect(await media.root()).toEqual([]);
    const design = await media.create({ mediaTypeAlias: 'Folder', name: 'Design' });
    expect(design).toMatchObject({ _level: 1, name: 'Design', sortOrder: 0 });
    expect(await media.root()).toEqual([design]);
    const people = await media.create({
      mediaTypeAlias: 'Folder',
      name: 'People',
      parentId: design._id,
    });
    expect(people).toMatchObject({ _level: 2, parentId: design._id });
    expect(await media.byId(design._id)).toEqual({ ...design, _hasChildren: true });

    const content = { mediaTypeAlias: 'Image', parentId: people._id, name: 'Han Solo' };
    const named = { ...content, umbracoFile: { src: 'han-solo.png' } };
    const type = { contentType: 'image/png' };
    const stream = createReadStream(fixture('picture.png'));
    const streamed = await media.create(
      toForm(named, stream, { filename: 'han-solo.png', ...type }),
    );
    expect(streamed).toMatchObject({ _level: 3, umbracoWidth: '20', umbracoExtension: 'png' });
    const buffered = await media.create(toForm(named, PICTURE));
    const foreign = await media.create(
      toForm(content, PICTURE, { filename: 'Blåbær ø.png', ...type }),
    );
    expect(foreign.umbracoFile.src).toMatch(/\/blaabaer-oe\.png$/);
    for (const { umbracoFile } of [streamed, buffered, foreign]) {
      expect(await download(url, umbracoFile.src)).toEqual(PICTURE);
    }
    await changeOne({ url, media }, streamed, design._id);

    const pages = [1, 2, 3].map((page) => media.children(people._id, { pageSize: 1, page }));
    const listed = await Promise.all(pages);
    expect(listed.map(({ items }) => items.map((item: Loose) => item._id))).toEqual([
      ...[[buffered._id], [foreign._id], []],
    ]);
    expect(listed[1]).toMatchObject({ totalItems: 2, totalPages: 2, page: 2, pageSize: 1 });
    expect(await media.children(streamed._id)).toMatchObject({ items: [], totalItems: 0 });

    const gone = await media.delete(design._id);
    expect(gone).toEqual({
      ...design,
      _hasChildren: true,
      _deleteDate: expect.any(String),
    });
    for (const { _id } of [design, people, buffered]) expect(await media.byId(_id)).toBeUndefined();
    expect(await download(url, buffered.umbracoFile.src)).toBe(404);
    expect(await media.root()).toEqual([]);
    const all = await types.all();
    expect(all.map(({ alias }: Loose) => alias).slice(0, 3)).toEqual(['Folder', 'Image', 'File']);
    expect(await types.byAlias('Image')).toEqual(all[1]);
  });

  it('reads refusals as they are meant', async () => {
    const { url, media, types } = run;
    expect(await media.byId(UNKNOWN)).toBeUndefined();
    expect(await media.children(UNKNOWN)).toBeUndefined();
    expect(await media.update(UNKNOWN, { name: 'x' })).toBeUndefined();
    expect(await media.delete(UNKNOWN)).toBeUndefined();
    expect(await failure(types.byAlias('none'))).toMatchObject({ status: 404 });
    const stranger = clientOf(url, 'wrong').management.media as Loose;
    const denied = { code: 'Unauthorized', message: expect.any(String) };
    for (const call of [stranger.root(), stranger.byId(UNKNOWN), stranger.create({})]) {
      expect(await failure(call)).toEqual({ status: 401, data: { error: denied } });
    }
    const wrong = { mediaTypeAlias: 'Image', name: '', parentId: UNKNOWN };
    const { status, data } = await failure(media.create(wrong));
    expect({ status, code: data.error.code }).toEqual({ status: 422, code: 'ValidationFailed' });
    expect(Object.keys(data.error.details.errors)).toEqual(['name', 'parentId', 'umbracoFile']);
    expect(await failure(media.create())).toMatchObject({
      status: 400,
      data: { error: { code: 'BadRequest', message: 'Body cannot be empty.' } },
    });
  });

  it('works unchanged behind https_proxy, where every target is a whole URL, and logs in there', async () => {
    const { url, dataDir, media } = run;
    const added = ['user', 'add', 'jane@example.com', '--data-dir', dataDir];
    expect(await runTrivium(added, {}, 'pass 1234')).toMatchObject({ code: 0 });
    const { stdout } = await promisify(execFile)(process.execPath, ['--eval', BEHIND_PROXY], {
      env: {
        https_proxy: url,
        CLIENT: clientPath,
        FORM_DATA: formDataPath,
        API_KEY,
        PICTURE: fixture('picture.png'),
      },
    });
    const { folder, image, children, missing, login, seen, refused } = JSON.parse(stdout);
    expect(folder._links.self.href).toBe(`https://api.umbraco.io/media/${folder._id}`);
    expect(image).toMatchObject({ parentId: folder._id, umbracoBytes: String(PICTURE.length) });
    expect(children.items).toEqual([image]);
    expect(missing).toBeNull();
    expect(login).toEqual({
      access_token: expect.any(String),
      token_type: 'bearer',
      expires_in: expect.any(Number),
    });
    expect(seen).toEqual([{ ...folder, _hasChildren: true }]);
    expect(refused).toEqual([400, 'invalid_grant']);
    expect(await download(url, image.umbracoFile.src)).toEqual(PICTURE);
    expect(await media.byId(image._id)).toMatchObject({ name: 'Han Solo' });
  });
});

/** Changes an image in every possible way, and ends in the folder with that id. */
async function changeOne(
  { url, media }: Pick<Run, 'url' | 'media'>,
  image: Loose,
  folderId: string,
): Promise<void> {
  const whole = await media.update(image._id, image);
  expect(whole).toEqual({ ...image, _updateDate: whole._updateDate });
  expect(Date.parse(whole._updateDate)).toBeGreaterThan(Date.parse(image._updateDate));
  const { mediaTypeAlias, parentId } = image;
  const keys = await media.update(image._id, { name: 'Leia', mediaTypeAlias, parentId });
  expect(keys).toEqual({ ...whole, name: 'Leia', _updateDate: keys._updateDate });
  expect(await download(url, image.umbracoFile.src)).toEqual(PICTURE);
  const content = { mediaTypeAlias, umbracoFile: { src: 'leia.webp' } };
  const replaced = await media.update(image._id, toForm(content, OTHER));
  expect(replaced.umbracoFile.src).toBe(image.umbracoFile.src.replace('han-solo.png', 'leia.webp'));
  expect(replaced).toMatchObject({ name: 'Leia', umbracoExtension: 'webp', parentId });
  for (const { src } of [image.umbracoFile, replaced.umbracoFile]) {
    expect(await download(url, src)).toEqual(OTHER);
  }
  const moved = await media.update(image._id, { ...replaced, parentId: folderId });
  expect(moved).toMatchObject({ _level: 2, parentId: folderId, sortOrder: 1 });
}

/** A program as users of the client write it: it names no host but the service’s own. */
const BEHIND_PROXY = `
  const { Client } = require(process.env.CLIENT);
  const FormData = require(process.env.FORM_DATA);
  const { createReadStream } = require('node:fs');
  const projectAlias = 'my-project';
  const { media } = new Client({ projectAlias, apiKey: process.env.API_KEY }).management;
  (async () => {
    const folder = await media.create({ mediaTypeAlias: 'Folder', name: 'Design' });
    const form = new FormData();
    const content = { mediaTypeAlias: 'Image', parentId: folder._id, name: 'Han Solo', umbracoFile: { src: 'han-solo.png' } };
    form.append('content', JSON.stringify(content));
    form.append('umbracoFile', createReadStream(process.env.PICTURE));
    const image = await media.create(form);
    const children = await media.children(folder._id);
    const missing = (await media.byId('${UNKNOWN}')) ?? null;
    const { authentication } = new Client({ projectAlias });
    const login = await authentication.authenticateUser('jane@example.com', 'pass 1234');
    const jane = new Client({ projectAlias, accessTokenResolver: () => login.access_token });
    const seen = await jane.management.media.root();
    const refused = await authentication
      .authenticateUser('jane@example.com', 'wrong')
      .catch((error) => [error.response.status, error.response.data.error]);
    console.log(JSON.stringify({ folder, image, children, missing, login, seen, refused }));
  })();
`;
