import { z } from 'zod';
import { insertMedia } from '../../store/tree/media.ts';
import { type Context, transact } from '../context.ts';
import { InvalidInputError } from '../error.ts';
import { mediaEvent } from '../event/event.ts';
import { displayName, freeText, idList, jsonObject, parseInput, webUrl } from '../input.ts';
import { serverUnicity } from '../job/class.ts';
import { enqueueJob } from '../job/enqueue.ts';
import { tagNewMedia } from '../tag/tag.ts';
import { authorize } from '../viewer/access.ts';
import { placeIn, UNFILED } from './folder.ts';
import { findMedia, type Media, PAGE_TYPES } from './media.ts';

/** Types of media that hold no bytes. */
export const LINK_TYPES = ['url', 'vimeo', 'embed', 'share', 'image'] as const;

const linkInput = z.object({
  type: z.enum(LINK_TYPES, 'Expected url, vimeo, embed, share or image.'),
  url: webUrl.nullish(),
  embedType: displayName(100).nullish(),
  embedId: displayName(255).nullish(),
  embedUrl: webUrl.nullish(),
  embedMetadata: jsonObject.nullish(),
  name: displayName(255).nullish(),
  title: freeText(255).nullish(),
  description: freeText(10_000).nullish(),
  keywords: freeText(1000).nullish(),
  imageUrl: webUrl.nullish(),
  isPublic: z.boolean().nullish(),
  folderId: z.int().nullish(),
  sortOrder: z.int32().nullish(),
  tagIds: idList.nullish(),
});

/** Input of `createMedia`. */
export type LinkInput = z.input<typeof linkInput>;
type Link = z.output<typeof linkInput>;

/**
 * Makes a media without bytes: a page or a video elsewhere (`url`), a picture elsewhere (`image`), or
 * something of another system (`embed`, `share`). Throws InvalidInputError for a field that the type
 * needs; NotFoundError for folder and tags.
 */
export async function createMedia(ctx: Context, input: LinkInput): Promise<Media> {
  authorize(ctx, 'media.create');
  const link = parseInput(linkInput, input);
  checkNeeded(link);
  return transact(ctx, async (ctx) => {
    const place = link.folderId ? await placeIn(ctx, link.folderId) : UNFILED;
    const { id } = await insertMedia(ctx.db, { ...place, ...toRow(ctx, link) });
    await tagNewMedia(ctx, id, link.tagIds ?? []);
    ctx.events.publish(mediaEvent('created', { ...place, id, is_public: 0, owner: ctx.viewer.id }));
    const media = await findMedia(ctx, { id });
    if (media === null) throw new Error('The media that was just made is not there.');
    if (PAGE_TYPES.includes(media.type)) await enqueueFetch(ctx, media);
    return media;
  });
}

/** What the page says of itself comes later: another server may take its time. */
async function enqueueFetch(ctx: Context, { id, uuid: media_uuid }: Media): Promise<void> {
  const options = { mediaId: id, unicity: serverUnicity('fetch-link', media_uuid) };
  await enqueueJob(ctx, 'fetch-link', { media_uuid }, options);
}

function checkNeeded(link: Link): void {
  const isEmbed = link.type === 'embed' || link.type === 'share';
  const needed = isEmbed ? (['embedType', 'embedId'] as const) : (['url'] as const);
  const issues = needed
    .filter((field) => !link[field])
    .map((field) => ({
      path: [field],
      code: 'REQUIRED',
      message: `A media of type ${link.type} needs it.`,
    }));
  if (issues.length > 0) throw new InvalidInputError(issues);
}

function toRow(ctx: Context, link: Link) {
  const now = ctx.clock();
  const uuid = ctx.newId();
  const isPicture = link.type === 'image';
  const address = link.url ?? link.embedUrl ?? null;
  const name = link.name || link.title || address || `${link.embedType} ${link.embedId}`;
  return {
    uuid,
    type: link.type,
    resource: uuid,
    name: name.slice(0, 255),
    ...(typeof link.sortOrder === 'number' && { sort_order: link.sortOrder }),
    title: link.title ?? link.name ?? null,
    description: link.description ?? null,
    keywords: link.keywords ?? null,
    url: isPicture ? null : address,
    image_url: link.imageUrl ?? (isPicture ? address : null),
    embed_type: link.embedType ?? null,
    embed_id: link.embedId ?? null,
    embed_url: link.embedUrl ?? null,
    embed_metadata: link.embedMetadata ? JSON.stringify(link.embedMetadata) : null,
    owner: ctx.viewer.id,
    is_public: Number(link.isPublic ?? false),
    created_at: now,
    updated_at: now,
  };
}
