import type { File } from '../../../domain/file/file.ts';
import type { Media, MediaType } from '../../../domain/tree/media.ts';
import type { TreeNode } from '../../../domain/tree/node-list.ts';
import type { FileType, Policy } from '../../../domain/upload/policy.ts';
import type { ToUrl } from '../../../http/absolute-url.ts';
import { type Answer, type Call, pathParameter } from '../../../http/dialect.ts';
import { RefusedError } from '../error.ts';
import { linksOf, toDate, toLinks } from '../hal.ts';

/** A type of media item in this dialect. */
export interface ItemType {
  alias: string;
  name: string;
  id: string;
  /** The properties in the order of the contract; empty: none. */
  properties: readonly Property[];
  /** The rules for its file; null: it has none. */
  file: FilePolicy | null;
}

interface Property {
  alias: string;
  label: string;
  editor: 'ImageCropper' | 'UploadField' | 'Label' | 'TextBox';
  isRequired: boolean;
  description?: string;
}

interface FilePolicy {
  /** Null: the content decides between the allowed types. */
  type: FileType | null;
  allowedTypes?: readonly FileType[];
  /** Types of content that does not fit: contract §5.9 has images that cannot be read. Umbraco does not read the content. */
  otherTypes?: readonly FileType[];
  /** Contract §5.10; null: any extension that is not forbidden. */
  extensions: readonly string[] | null;
}

const label = (alias: string, name: string, description?: string): Property => ({
  alias,
  label: name,
  editor: 'Label',
  isRequired: false,
  ...(description !== undefined && { description }),
});
const WIDTH = label('umbracoWidth', 'Width', 'in pixels');
const HEIGHT = label('umbracoHeight', 'Height', 'in pixels');
const BYTES = label('umbracoBytes', 'Size', 'in bytes');
const EXTENSION = label('umbracoExtension', 'Type');

const IMAGE: readonly Property[] = [
  { alias: 'umbracoFile', label: 'Upload image', editor: 'ImageCropper', isRequired: true },
  ...[WIDTH, HEIGHT, BYTES, EXTENSION],
];
const UPLOAD: readonly Property[] = [
  { alias: 'umbracoFile', label: 'Upload file', editor: 'UploadField', isRequired: true },
  ...[EXTENSION, BYTES],
];

const FOLDER: ItemType = {
  alias: 'Folder',
  name: 'Folder',
  id: 'f38bd2d7-65d0-48e6-95dc-87ce06ec2d3d',
  properties: [],
  file: null,
};

/** Contract §7: all types of Umbraco, the three basic ones first. */
const UMBRACO_TYPES: readonly ItemType[] = [
  FOLDER,
  {
    alias: 'Image',
    name: 'Image',
    id: 'cc07b313-0843-4aa8-bbda-871c8da728c8',
    properties: IMAGE,
    file: { type: 'image', otherTypes: ['vector', 'file'], extensions: null },
  },
  {
    alias: 'File',
    name: 'File',
    id: '4c52d8ab-54e6-40cd-999c-7a5f24903e4d',
    properties: UPLOAD,
    file: { type: 'file', extensions: null },
  },
  {
    alias: 'umbracoMediaVideo',
    name: 'Video',
    id: 'f6c515bb-653c-4bdc-821c-987729ebe327',
    properties: UPLOAD,
    file: { type: 'video', otherTypes: ['file'], extensions: ['mp4', 'webm', 'ogv'] },
  },
  {
    alias: 'umbracoMediaAudio',
    name: 'Audio',
    id: 'a5ddeee0-8fd8-4cee-a658-6f1fcdb00de3',
    properties: UPLOAD,
    file: { type: 'audio', otherTypes: ['file'], extensions: ['mp3', 'weba', 'oga', 'opus'] },
  },
  {
    alias: 'umbracoMediaArticle',
    name: 'Article',
    id: 'a43e3414-9599-4230-a7d3-943a21b20122',
    properties: UPLOAD,
    file: {
      type: null,
      allowedTypes: ['doc', 'file'],
      extensions: ['pdf', 'docx', 'doc'],
    },
  },
  {
    alias: 'umbracoMediaVectorGraphics',
    name: 'Vector Graphics (SVG)',
    id: 'c4b1efcf-a9d5-41c4-9621-e9d273b52a9c',
    properties: UPLOAD,
    file: { type: 'vector', otherTypes: ['file'], extensions: ['svg'] },
  },
];

/** Our own type, for media without a stored file. It is found by its alias, and is not listed among Umbraco's. */
const LINK: ItemType = {
  alias: 'Link',
  name: 'Link',
  id: '6c0d5a1e-3b57-4f0c-9a41-52d6f7b8e903',
  properties: [{ alias: 'url', label: 'Address', editor: 'TextBox', isRequired: true }],
  file: null,
};

/**
 * Returns the type with which a node was created here, or else the closest one. A media item
 * without a file is a link, wherever it was created.
 */
export function itemTypeOf(node: TreeNode, file: File | null): ItemType {
  if (node.type === 'folder') return FOLDER;
  if (file === null) return LINK;
  return findItemType(node.mediaTypeAlias ?? ALIASES[node.type] ?? 'File') ?? LINK;
}

const ALIASES: Readonly<Partial<Record<MediaType, string>>> = {
  image: 'Image',
  eimage: 'Image',
  video: 'umbracoMediaVideo',
  audio: 'umbracoMediaAudio',
  vector: 'umbracoMediaVectorGraphics',
};

/** Returns the rules for the file of a new item, or null if its type has no file. */
export function newPolicy({ file }: ItemType): Policy | null {
  if (file === null) return null;
  const { extensions: _, ...policy } = file;
  return policy;
}

/**
 * Returns the rules for a new file of an item. An editor image stays an editor image; a document from another dialect
 * may become any file except an image, sound or video.
 */
export function replacementPolicy({ type }: Media, itemType: ItemType): Policy | null {
  if (type === 'eimage') return { type, otherTypes: ['file'] };
  if (type === 'doc') return { type: null, allowedTypes: ['doc', 'file'] };
  return newPolicy(itemType);
}

/** Returns the type with this alias, in any case, or null. */
export function findItemType(alias: string): ItemType | null {
  const wanted = alias.toLowerCase();
  return [...UMBRACO_TYPES, LINK].find(({ alias }) => alias.toLowerCase() === wanted) ?? null;
}

/** `GET /media/type`: contract §7. */
export async function listItemTypes({ toUrl }: Call): Promise<Answer> {
  const links = linksOf(toUrl);
  const _links = toLinks({
    self: [links.types()],
    root: [links.types()],
    mediatypes: UMBRACO_TYPES.map(({ alias }) => links.type(alias)),
  });
  const mediatypes = UMBRACO_TYPES.map((type) => toTypeBody(type, toUrl));
  return { status: 200, body: { _links, _embedded: { mediatypes } } };
}

/** `GET /media/type/{alias}`: contract §7. */
export async function getItemType(call: Call): Promise<Answer> {
  const alias = pathParameter(call, 'alias');
  const type = findItemType(alias);
  if (type === null) {
    throw new RefusedError('NotFound', `Media Type with alias '${alias}' could not be found.`);
  }
  return { status: 200, body: toTypeBody(type, call.toUrl) };
}

/** Creation date of all types, which come with the server and have never changed. */
const MADE_AT = toDate(new Date(Date.UTC(2019, 9, 4, 11, 0)));

function toTypeBody({ alias, name, id, properties }: ItemType, toUrl: ToUrl) {
  // Contract §7 gives the group of SVG without the words in brackets.
  const group = name.replace(/ \(.+\)$/, '');
  return {
    alias,
    compositions: [],
    groups:
      properties.length === 0
        ? []
        : [{ name: group, sortOrder: 1, properties: properties.map(toPropertyBody) }],
    name,
    _createDate: MADE_AT,
    _id: id,
    _updateDate: MADE_AT,
    _links: toLinks({ self: [linksOf(toUrl).type(alias)] }),
  };
}

function toPropertyBody(property: Property, sortOrder: number) {
  const { alias, description, label, editor, isRequired } = property;
  return {
    alias,
    ...(description !== undefined && { description }),
    label,
    propertyEditorAlias: `Umbraco.${editor}`,
    sortOrder,
    validation: { required: isRequired },
  };
}
