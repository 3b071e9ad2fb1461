import type { File } from '../../../domain/file/file.ts';
import type { Item } from '../../../domain/file/item.ts';
import type { Media } from '../../../domain/tree/media.ts';
import type { ToUrl } from '../../../http/absolute-url.ts';
import { linksOf, toDate, toLinks } from '../hal.ts';
import { itemTypeOf } from './media-type.ts';

/** Returns an item with exactly these keys, in this order: contract §3.1. `deletedAt` is for the response to DELETE. */
export function toItemBody(item: Item, toUrl: ToUrl, deletedAt?: Date) {
  const { node, file, parentUuid, hasChildren } = item;
  const { alias } = itemTypeOf(node, file);
  const links = linksOf(toUrl);
  return {
    _hasChildren: hasChildren,
    _level: node.level,
    _createDate: toDate(node.createdAt),
    _id: node.uuid,
    _updateDate: toDate(node.updatedAt),
    ...(deletedAt !== undefined && { _deleteDate: toDate(deletedAt) }),
    _links: toLinks({
      self: [links.item(node.uuid)],
      root: [links.root()],
      children: [links.children(node.uuid)],
      mediatype: [links.type(alias)],
    }),
    mediaTypeAlias: alias,
    name: node.name,
    // Absent rather than null: .NET would read null as a GUID.
    ...(parentUuid !== null && { parentId: parentUuid }),
    sortOrder: node.sortOrder,
    ...(node.type === 'folder' ? {} : toProperties(node, file)),
  };
}

/** Returns the list of the root: contract §4.1. Clients treat an additional key as a sign that this is not a list. */
export function toRootBody(items: readonly Item[], toUrl: ToUrl) {
  const links = linksOf(toUrl);
  return {
    _links: toLinks({
      self: [links.root()],
      media: [links.anyItem(), ...items.map(({ node }) => links.item(node.uuid))],
      children: [links.anyChildren()],
      mediatype: [links.anyType()],
    }),
    _embedded: { media: items.map((item) => toItemBody(item, toUrl)) },
  };
}

/** A page by its number, from 1. */
export interface Paging {
  page: number;
  pageSize: number;
  /** Whether the client chose the size, which links then repeat. */
  isSized: boolean;
}

/** Returns a page of children: contract §4.3. */
export function toChildrenBody(
  uuid: string,
  items: readonly Item[],
  { total, paging }: { total: number; paging: Paging },
  toUrl: ToUrl,
) {
  const { page, pageSize, isSized } = paging;
  const links = linksOf(toUrl);
  const pageCount = Math.ceil(total / pageSize);
  const toPage = (number: number) =>
    links.children(uuid, `?page=${number}${isSized ? `&pageSize=${pageSize}` : ''}`);
  return {
    _totalItems: total,
    _totalPages: pageCount,
    _page: page,
    _pageSize: pageSize,
    _links: toLinks({
      self: [toPage(page)],
      prev: page > 1 ? [toPage(page - 1)] : [],
      next: page < pageCount ? [toPage(page + 1)] : [],
      media: items.map(({ node }) => links.item(node.uuid)),
    }),
    _embedded: { media: items.map((item) => toItemBody(item, toUrl)) },
  };
}

/** Contract §5.8: the focal point of an image that has none set. */
const CENTER = { left: 0.5, top: 0.5 };

/** Returns the focal point and the crops of an image as they are shown. */
export function toImageBody({ focalPoint, crops }: Media) {
  return { focalPoint: focalPoint ?? CENTER, crops: crops.length === 0 ? null : crops };
}

/** Returns the address that a link shows. */
export function toLinkUrl({ url, imageUrl, embed }: Media): string | null {
  return url ?? imageUrl ?? embed?.url ?? null;
}

/** Returns the properties of an item. Contract §5.8, §5.9: labels are text, even for numbers. */
function toProperties(media: Media, file: File | null) {
  if (file === null) return { url: toLinkUrl(media) };
  const umbracoBytes = String(file.sizeBytes);
  const umbracoExtension = file.extension ?? '';
  if (itemTypeOf(media, file).alias !== 'Image') {
    return { umbracoFile: file.urlPath, umbracoExtension, umbracoBytes };
  }
  return {
    umbracoFile: { src: file.urlPath, ...toImageBody(media) },
    umbracoWidth: String(file.width ?? ''),
    umbracoHeight: String(file.height ?? ''),
    umbracoBytes,
    umbracoExtension,
  };
}
