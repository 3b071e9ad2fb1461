import {
  address,
  answerOf,
  anyObject,
  bytes,
  date,
  flag,
  idText,
  integer,
  requestOf,
  type Schema,
  text,
  textOrNull,
} from './json-schema.ts';
import { MEDIA_PROPERTIES } from './tree/media-shape.ts';

const tagType = { enum: ['user', 'category', 'contribution'] };

const TAG_WRITABLE = {
  type: { ...tagType, default: 'user' },
  name: { type: 'string', minLength: 1, maxLength: 64 },
  description: { type: ['string', 'null'], maxLength: 500 },
  color: { type: 'string', maxLength: 64, default: '#ffffff' },
  visible: { ...flag, default: true },
  active: { ...flag, default: true },
  visibility_boost: { ...flag, default: false },
};

const EMBED_WRITABLE = {
  embed_type: {
    type: 'string',
    not: { enum: ['sc_link', 'sc_shared_object', 'sc_shared_event', 'sc_vimeo'] },
  },
  embed_id: idText,
  url: { type: ['string', 'null'] },
  metadata: { type: ['object', 'null'] },
};

const MESSAGE = answerOf({ message: text, code: text });

const ERROR_PROPERTIES = {
  detail: text,
  errors: { type: 'array', items: MESSAGE, minItems: 1 },
};

/** The components of the document, by the names in the table of routes. */
export const SCHEMAS = {
  Media: answerOf(MEDIA_PROPERTIES),
  Embed: answerOf({
    id: integer,
    embed_type: text,
    embed_id: text,
    url: textOrNull,
    metadata: anyObject,
  }),
  MediaCreation: requestOf(
    {
      type: { enum: ['url', 'vimeo', 'embed', 'share', 'image'] },
      ...EMBED_WRITABLE,
      url: { ...address, description: 'Required for url, vimeo and image.' },
      embed: requestOf(EMBED_WRITABLE, ['embed_type', 'embed_id']),
      shared_object: { ...idText, description: 'For share: the id of a contribution.' },
      event_object: { ...idText, description: 'For share: the id of an event.' },
      title: { type: ['string', 'null'], maxLength: 255 },
      description: { type: ['string', 'null'], maxLength: 10_000 },
    },
    ['type'],
  ),
  MediaChange: requestOf({ image: address }, ['image']),
  MediaPatch: requestOf({ image: address }),
  Click: requestOf({ ip: text }),
  Chunk: requestOf({
    upload_id: { ...textOrNull, description: 'Absent in the first request.' },
    image: { ...bytes, description: 'The bytes, of any type. May be in document or file instead.' },
    document: bytes,
    file: bytes,
  }),
  UploadSession: answerOf({
    upload_id: text,
    offset: { type: 'string', pattern: '^\\d+$' },
    expires: date,
  }),
  UploadCompletion: requestOf(
    {
      upload_id: text,
      md5: { type: 'string', pattern: '^[0-9a-fA-F]{32}$' },
      type: { enum: ['image', 'eimage', 'doc', 'document', 'file', '', null] },
    },
    ['upload_id', 'md5'],
  ),
  Tag: answerOf({
    id: integer,
    type: tagType,
    name: text,
    description: textOrNull,
    color: { type: 'string', minLength: 1 },
    visible: flag,
    visibility_boost: flag,
    created_at: date,
    active: flag,
    deleted: flag,
  }),
  TagPage: answerOf({
    count: { type: 'integer', minimum: 0 },
    next: { type: ['string', 'null'], format: 'uri' },
    previous: { type: ['string', 'null'], format: 'uri' },
    results: { type: 'array', items: { $ref: '#/components/schemas/Tag' } },
  }),
  TagCreation: requestOf(TAG_WRITABLE, ['name']),
  TagPatch: requestOf(TAG_WRITABLE),
  TagAssignment: requestOf({ user: integer, category: integer }),
  /** Contract §5.2; `offset` is the offset of the upload. */
  Error: {
    type: 'object',
    properties: { ...ERROR_PROPERTIES, offset: integer },
    required: Object.keys(ERROR_PROPERTIES),
    additionalProperties: false,
  },
  /**
   * Contract §5.2: the messages of each field under its name, and all of them again in `errors`.
   */
  FieldError: {
    type: 'object',
    properties: {
      errors: {
        type: 'array',
        minItems: 1,
        items: answerOf({ field: text, messages: { type: 'array', items: MESSAGE, minItems: 1 } }),
      },
    },
    required: ['errors'],
    additionalProperties: { type: 'array', items: text, minItems: 1 },
  },
  Document: requestOf({ openapi: text, info: anyObject, paths: anyObject }, [
    'openapi',
    'info',
    'paths',
  ]),
} satisfies Record<string, Schema>;

/** Names of the components. */
export type SchemaName = keyof typeof SCHEMAS;
