import { describe, expect, it } from 'vitest';
import {
  ForbiddenError,
  InvalidInputError,
  NotAuthenticatedError,
  TooLargeError,
  UnsupportedMediaError,
} from '../../../../src/domain/error.ts';
import type { File } from '../../../../src/domain/file/file.ts';
import type { Folder } from '../../../../src/domain/tree/folder.ts';
import type { Media } from '../../../../src/domain/tree/media.ts';
import { MalformedBodyError, UnsupportedBodyError } from '../../../../src/http/body.ts';
import { toErrorAnswer } from '../../../../src/rest/heartcore/error.ts';
import { toDate, toLinks } from '../../../../src/rest/heartcore/hal.ts';
import {
  toChildrenBody,
  toItemBody,
  toRootBody,
} from '../../../../src/rest/heartcore/tree/shape.ts';

const toUrl = (path: string) => `https://api.umbraco.io${path}`;

const PARENT = '9924b6e9-51fd-4686-ad9a-cb59dbe9b4b1';
const MADE_AT = new Date('2019-10-04T13:08:52.203Z');

const BANJO = {
  id: 5,
  uuid: 'f2311d74-bc19-465b-8028-4af79f47f155',
  type: 'image',
  name: 'Banjo',
  level: 2,
  sortOrder: 4,
  createdAt: MADE_AT,
  updatedAt: MADE_AT,
  focalPoint: null,
  crops: [],
  mediaTypeAlias: null,
} as unknown as Media;

const FILE = {
  urlPath: '/media/oiodd2qz/7373036290_5e8420bf36_b.jpg',
  sizeBytes: 299_546,
  width: 1024,
  height: 683,
  extension: 'jpg',
} as File;

const ITEM = { node: BANJO, file: FILE, parentUuid: PARENT, hasChildren: false };

/** seeds/002, "Get by id", without its spaces. */
const BANJO_JSON =
  '{"_hasChildren":false,"_level":2,"_createDate":"2019-10-04T13:08:52.203Z","_id":"f2311d74-bc19-465b-8028-4af79f47f155","_updateDate":"2019-10-04T13:08:52.203Z","_links":{"self":{"href":"https://api.umbraco.io/media/f2311d74-bc19-465b-8028-4af79f47f155"},"root":{"href":"https://api.umbraco.io/media"},"children":{"href":"https://api.umbraco.io/media/f2311d74-bc19-465b-8028-4af79f47f155/children"},"mediatype":{"href":"https://api.umbraco.io/media/type/Image"}},"mediaTypeAlias":"Image","name":"Banjo","parentId":"9924b6e9-51fd-4686-ad9a-cb59dbe9b4b1","sortOrder":4,"umbracoFile":{"src":"/media/oiodd2qz/7373036290_5e8420bf36_b.jpg","focalPoint":{"left":0.5,"top":0.5},"crops":null},"umbracoWidth":"1024","umbracoHeight":"683","umbracoBytes":"299546","umbracoExtension":"jpg"}';

const DESIGN = {
  id: 1,
  uuid: '7bfa2332-cf7f-4c97-941d-50f43f085b06',
  type: 'folder',
  name: 'Design',
  level: 1,
  sortOrder: 1,
  createdAt: new Date('2019-10-04T11:46:14.320Z'),
  updatedAt: new Date('2019-10-04T11:46:06.653Z'),
} as Folder;

const DESIGN_JSON =
  '{"_hasChildren":true,"_level":1,"_createDate":"2019-10-04T11:46:14.32Z","_id":"7bfa2332-cf7f-4c97-941d-50f43f085b06","_updateDate":"2019-10-04T11:46:06.653Z","_links":{"self":{"href":"https://api.umbraco.io/media/7bfa2332-cf7f-4c97-941d-50f43f085b06"},"root":{"href":"https://api.umbraco.io/media"},"children":{"href":"https://api.umbraco.io/media/7bfa2332-cf7f-4c97-941d-50f43f085b06/children"},"mediatype":{"href":"https://api.umbraco.io/media/type/Folder"}},"mediaTypeAlias":"Folder","name":"Design","sortOrder":1}';

const DESIGN_ITEM = { node: DESIGN, file: null, parentUuid: null, hasChildren: true };

describe('an item', () => {
  it('equals seeds/002 to the letter: an image, and a folder at the root', () => {
    expect(JSON.stringify(toItemBody(ITEM, toUrl))).toBe(BANJO_JSON);
    expect(JSON.stringify(toItemBody(DESIGN_ITEM, toUrl))).toBe(DESIGN_JSON);
  });

  it('that is deleted has its deletion date after its other dates', () => {
    const body = toItemBody(DESIGN_ITEM, toUrl, new Date('2019-10-10T12:25:15.380Z'));
    expect(Object.keys(body).slice(4, 7)).toEqual(['_updateDate', '_deleteDate', '_links']);
    expect(body).toHaveProperty('_deleteDate', '2019-10-10T12:25:15.38Z');
  });

  it.each([
    ['doc', null, 'File'],
    ['file', null, 'File'],
    ['doc', 'umbracoMediaArticle', 'umbracoMediaArticle'],
    ['video', null, 'umbracoMediaVideo'],
    ['audio', null, 'umbracoMediaAudio'],
    ['vector', null, 'umbracoMediaVectorGraphics'],
  ])(
    'of type %s created as %s is %s: its file is text, and it has two labels',
    (type, made, alias) => {
      const node = { ...BANJO, type, mediaTypeAlias: made } as Media;
      const body = toItemBody({ ...ITEM, node }, toUrl);
      expect(body._links.mediatype).toEqual({ href: toUrl(`/media/type/${alias}`) });
      expect(Object.entries(body).slice(6)).toEqual([
        ['mediaTypeAlias', alias],
        ['name', 'Banjo'],
        ['parentId', PARENT],
        ['sortOrder', 4],
        ['umbracoFile', FILE.urlPath],
        ['umbracoExtension', 'jpg'],
        ['umbracoBytes', '299546'],
      ]);
    },
  );

  it('that is an editor’s image is an Image with its focal point and crops', () => {
    const crops = [{ alias: 'square', width: 9, height: 9 }];
    const node = { ...BANJO, type: 'eimage', focalPoint: { left: 0.1, top: 1 }, crops } as Media;
    expect(toItemBody({ ...ITEM, node }, toUrl)).toMatchObject({
      mediaTypeAlias: 'Image',
      umbracoFile: { focalPoint: { left: 0.1, top: 1 }, crops },
    });
  });

  it('without a file is a link: to its page, or to its image', () => {
    const link = (fields: object) => {
      const node = { ...BANJO, url: null, imageUrl: null, embed: null, ...fields } as Media;
      return toItemBody({ ...ITEM, node, file: null }, toUrl);
    };
    const page = {
      type: 'url',
      url: 'https://example.org/',
      imageUrl: 'https://example.org/a.png',
    };
    expect(link(page)).toMatchObject({ mediaTypeAlias: 'Link', url: 'https://example.org/' });
    expect(Object.keys(link(page)).at(-1)).toBe('url');
    const picture = { type: 'image', imageUrl: 'https://example.org/a.png' };
    expect(link(picture)).toMatchObject({ mediaTypeAlias: 'Link', url: picture.imageUrl });
    const embed = { type: 'embed', embed: { url: 'https://example.org/e' } };
    expect(link(embed)).toMatchObject({ mediaTypeAlias: 'Link', url: 'https://example.org/e' });
    expect(link({ type: 'share' })).toMatchObject({ mediaTypeAlias: 'Link', url: null });
  });
});

describe('a list', () => {
  it('of the root equals seeds/002 to the letter', () => {
    const links =
      '{"self":{"href":"https://api.umbraco.io/media"},"media":[{"href":"https://api.umbraco.io/media/{id}","templated":true},{"href":"https://api.umbraco.io/media/7bfa2332-cf7f-4c97-941d-50f43f085b06"}],"children":{"href":"https://api.umbraco.io/media/{id}/children{?page,pageSize}","templated":true},"mediatype":{"href":"https://api.umbraco.io/media/type/{alias}","templated":true}}';
    expect(JSON.stringify(toRootBody([DESIGN_ITEM], toUrl))).toBe(
      `{"_links":${links},"_embedded":{"media":[${DESIGN_JSON}]}}`,
    );
  });

  it('of children equals seeds/002 to the letter, with one link as an object', () => {
    const paging = { page: 1, pageSize: 10, isSized: false };
    const body = toChildrenBody(PARENT, [ITEM], { total: 1, paging }, toUrl);
    const links = `{"self":{"href":"${toUrl(`/media/${PARENT}/children?page=1`)}"},"media":{"href":"${toUrl(`/media/${BANJO.uuid}`)}"}}`;
    expect(JSON.stringify(body)).toBe(
      `{"_totalItems":1,"_totalPages":1,"_page":1,"_pageSize":10,"_links":${links},"_embedded":{"media":[${BANJO_JSON}]}}`,
    );
  });

  it('has links to the next and previous page, in the size that the client chose', () => {
    const paging = { page: 2, pageSize: 2, isSized: true };
    const { _links } = toChildrenBody(PARENT, [ITEM, ITEM], { total: 5, paging }, toUrl);
    const page = (number: number) => ({
      href: toUrl(`/media/${PARENT}/children?page=${number}&pageSize=2`),
    });
    expect(_links).toMatchObject({ self: page(2), prev: page(1), next: page(3) });
    expect(_links.media).toHaveLength(2);
  });
});

it('links: one is an object, two are an array, and without any the relation is absent', () => {
  const [a, b] = [{ href: 'a' }, { href: 'b' }];
  expect(toLinks({ none: [], one: [a], two: [a, b] })).toEqual({ one: a, two: [a, b] });
});

it.each([
  ['2019-10-04T11:46:06.653Z', '2019-10-04T11:46:06.653Z'],
  ['2019-10-04T11:46:14.320Z', '2019-10-04T11:46:14.32Z'],
  ['2019-10-04T11:46:56.500Z', '2019-10-04T11:46:56.5Z'],
  ['2019-10-10T12:24:20.000Z', '2019-10-10T12:24:20Z'],
])('the date %s is written %s', (date, text) => {
  expect(toDate(new Date(date))).toBe(text);
});

describe('an error', () => {
  it.each([
    [
      new NotAuthenticatedError(),
      401,
      'Unauthorized',
      'Authorization has been denied for this request.',
    ],
    [
      new NotAuthenticatedError('rejected'),
      401,
      'Unauthorized',
      'Authorization has been denied for this request.',
    ],
    [
      new ForbiddenError(),
      403,
      'Forbidden',
      'You are not authorized to access the given resource.',
    ],
    [
      new TooLargeError({ bytes: 50 * 2 ** 20, setting: 'TRIVIUM_IMAGE_BYTES_MAX' }),
      413,
      'PayloadTooLarge',
      'The size exceeds the limit of 50 MiB (TRIVIUM_IMAGE_BYTES_MAX).',
    ],
    [
      new UnsupportedBodyError('a/b'),
      415,
      'UnsupportedMediaType',
      'Send application/json or multipart/form-data.',
    ],
    [new MalformedBodyError('json', 'What is this?'), 400, 'BadRequest', 'What is this?'],
    [new Error('select * from media'), 500, 'InternalServerError', 'Internal server error.'],
  ])('%s is %i %s', (error, status, code, message) => {
    expect(toErrorAnswer(error)).toEqual({ status, body: { error: { code, message } } });
  });

  it('of the domain names the property by its alias', () => {
    const error = new InvalidInputError([
      { path: ['name'], code: 'BLANK', message: 'May not be blank.' },
      { path: ['focalPoint', 'left'], code: 'TOO_BIG', message: 'Too big.' },
      { path: ['crops', 0], code: 'INVALID', message: 'No crop.' },
    ]);
    expect(toErrorAnswer(error).body.error.details).toEqual({
      errors: {
        name: ['May not be blank.'],
        umbracoFile: ['focalPoint.left: Too big.', 'crops.0: No crop.'],
      },
    });
    const broken = new UnsupportedMediaError('text/html', 'It is a page.');
    expect(toErrorAnswer(broken)).toMatchObject({
      status: 422,
      body: { error: { details: { errors: { umbracoFile: ['It is a page.'] } } } },
    });
  });
});
