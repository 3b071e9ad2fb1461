import type { Media } from '../../../../src/domain/tree/media.ts';

const AT = new Date(Date.UTC(2026, 10, 21, 0, 14, 35, 526));

/** A stored image without any optional field. */
export const MEDIA: Media = {
  id: 7,
  uuid: '5dfe2ef5-1b28-417e-b650-0e7ec1ed126c',
  name: 'beach.jpg',
  parentId: null,
  ancestorIds: [],
  level: 0,
  sortOrder: 0,
  createdAt: AT,
  updatedAt: AT,
  type: 'image',
  title: 'beach.jpg',
  description: null,
  keywords: null,
  url: null,
  imageUrl: null,
  imageWidth: null,
  imageHeight: null,
  embed: null,
  oembed: null,
  choiceImages: [],
  focalPoint: null,
  crops: [],
  owner: '1',
  mediaTypeAlias: null,
  visibility: 'unlisted',
  isPublic: false,
};

/** Returns the body of a media item: contract §3, every key, in this order. */
export function goldenMedia(given: Record<string, unknown>): object {
  return {
    id: 2,
    hash_code: 'UUID',
    added_at: 'TIME',
    type: 'url',
    title: null,
    description: null,
    url: null,
    keywords: null,
    entities: null,
    image: null,
    image_width: null,
    image_height: null,
    oembed_type: null,
    oembed_url: null,
    oembed_width: null,
    oembed_height: null,
    oembed_duration: null,
    oembed_html: null,
    oembed_preview_ready: false,
    oembed_available: false,
    order: 0,
    choice_images: [],
    embed_type: null,
    embed_id: null,
    embed: null,
    image_thumbnail: null,
    image_mimetype: null,
    mimetype: null,
    size: null,
    ...given,
  };
}
