import type { Operation } from '../../domain/viewer/access.ts';
import type { Answer, Call } from '../../http/dialect.ts';
import { clickMedia, getMedia, patchMedia, postMedia, putMedia, removeMedia } from './media.ts';
import { toDocument } from './openapi.ts';
import type { SchemaName } from './schema.ts';
import {
  assignTag,
  getTag,
  listTags,
  listUserTags,
  patchTag,
  postTag,
  putTag,
  removeTag,
} from './tag.ts';
import { completeChunks, uploadChunk } from './upload.ts';

/** One method of one path: how it is served, and what the OpenAPI document says of it. */
export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  /** What the viewer must be allowed to do; null: the handler decides, or anyone may. */
  operation: Operation | null;
  handle: (call: Call) => Promise<Answer>;
  summary: string;
  /** Parameters of the query. */
  query?: readonly QueryName[];
  /** Null, or absent: what is sent is not read. */
  body?: SchemaName;
  /** The status of success, and the body that comes with it. */
  answer: readonly [status: 200 | 201, body: SchemaName] | readonly [status: 204];
  /** Refusals that do not follow from the rest. */
  refusals?: readonly number[];
}

/** Parameters that lists of tags take: contract §2.6. */
export type QueryName = (typeof LIST)[number];

const LIST = [
  'limit',
  'offset',
  'search',
  'type',
  'active',
  'visible',
  'visibility_boost',
  'deleted',
  'ordering',
] as const;

const MEDIA: readonly Route[] = [
  {
    method: 'POST',
    path: '/media/upload/chunk/',
    operation: 'upload.write',
    handle: uploadChunk,
    summary: 'Send a part of a file',
    body: 'Chunk',
    answer: [201, 'UploadSession'],
    refusals: [404, 410],
  },
  {
    method: 'POST',
    path: '/media/upload/complete/',
    operation: 'upload.write',
    handle: completeChunks,
    summary: 'Make a media of the parts',
    body: 'UploadCompletion',
    answer: [201, 'Media'],
    refusals: [404, 410],
  },
  {
    method: 'POST',
    path: '/media/',
    operation: 'media.create',
    handle: postMedia,
    summary: 'Make a media of something elsewhere',
    body: 'MediaCreation',
    answer: [201, 'Media'],
  },
  {
    method: 'GET',
    path: '/media/:id/',
    operation: null,
    handle: getMedia,
    summary: 'Read a media',
    answer: [200, 'Media'],
  },
  {
    method: 'PUT',
    path: '/media/:id/',
    operation: 'media.update',
    handle: putMedia,
    summary: 'Set the image of a link: its creator, or an admin',
    body: 'MediaChange',
    answer: [200, 'Media'],
  },
  {
    method: 'PATCH',
    path: '/media/:id/',
    operation: 'media.update',
    handle: patchMedia,
    summary: 'Set the image of a link, if one is given: its creator, or an admin',
    body: 'MediaPatch',
    answer: [200, 'Media'],
  },
  {
    method: 'DELETE',
    path: '/media/:id/',
    operation: 'media.delete',
    handle: removeMedia,
    summary: 'Delete a media and its files: its creator, or an admin',
    answer: [204],
  },
  {
    method: 'POST',
    path: '/media/:id/click/',
    operation: null,
    handle: clickMedia,
    summary: 'Tell of a click; clicks are not counted',
    body: 'Click',
    answer: [204],
  },
];

const TAG: readonly Route[] = [
  {
    method: 'GET',
    path: '/tag/',
    operation: 'tag.read',
    handle: listTags,
    summary: 'List tags',
    query: LIST,
    answer: [200, 'TagPage'],
  },
  {
    method: 'POST',
    path: '/tag/',
    operation: 'tag.create',
    handle: postTag,
    summary: 'Make a tag',
    body: 'TagCreation',
    answer: [201, 'Tag'],
  },
  {
    method: 'GET',
    path: '/tag/search/',
    operation: 'tag.read',
    handle: listTags,
    summary: 'Search tags',
    query: LIST,
    answer: [200, 'TagPage'],
  },
  {
    method: 'GET',
    path: '/tag/user/search/',
    operation: 'tag.read',
    handle: listUserTags,
    summary: 'Search tags of type user',
    query: LIST,
    answer: [200, 'TagPage'],
  },
  {
    method: 'GET',
    path: '/tag/:id/',
    operation: 'tag.read',
    handle: getTag,
    summary: 'Read a tag',
    query: ['search'],
    answer: [200, 'Tag'],
  },
  {
    method: 'PUT',
    path: '/tag/:id/',
    operation: 'tag.update',
    handle: putTag,
    summary: 'Change a tag; what is absent stays',
    query: ['search'],
    body: 'TagCreation',
    answer: [200, 'Tag'],
  },
  {
    method: 'PATCH',
    path: '/tag/:id/',
    operation: 'tag.update',
    handle: patchTag,
    summary: 'Change a tag; what is absent stays, the name too',
    query: ['search'],
    body: 'TagPatch',
    answer: [200, 'Tag'],
  },
  {
    method: 'DELETE',
    path: '/tag/:id/',
    operation: 'tag.delete',
    handle: removeTag,
    summary: 'Delete a tag and take it off all media',
    query: ['search'],
    answer: [204],
  },
  ...(['assign', 'add', 'remove'] as const).map(
    (verb): Route => ({
      method: 'POST',
      path: `/tag/:id/${verb}/`,
      operation: 'tag.update',
      handle: assignTag,
      summary: `Accept to ${verb} a user or a category, which are not kept here`,
      query: ['search'],
      body: 'TagAssignment',
      answer: [204],
    }),
  ),
];

/** Every path of the dialect. */
export const ROUTES: readonly Route[] = [
  ...MEDIA,
  ...TAG,
  {
    method: 'GET',
    path: '/openapi.json',
    operation: null,
    handle: async (call) => ({ status: 200, body: toDocument(ROUTES, call) }),
    summary: 'Read this document',
    answer: [200, 'Document'],
  },
];
