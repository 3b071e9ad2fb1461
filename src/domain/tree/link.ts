import { z } from 'zod';
import { cleanName } from '../../lib/name.ts';
import { insertNode } from '../../store/tree/node.ts';
import { type Context, transact } from '../context.ts';
import { InvalidInputError } from '../error.ts';
import { mediaEvent } from '../event/event.ts';
import { displayName, idList, jsonObject, parseInput, webUrl } from '../input.ts';
import { serverUnicity } from '../job/class.ts';
import { enqueueJob } from '../job/enqueue.ts';
import { tagNewMedia } from '../tag/tag.ts';
import { authorize } from '../viewer/access.ts';
import { recordAudit } from '../viewer/audit.ts';
import { checkQuota } from '../viewer/quota.ts';
import { isPageType, type Media, mediaColumns, mediaInput, toMedia } from './media.ts';
import { nodeTarget } from './node.ts';
import { placeIn, UNFILED } from './place.ts';
import { visibilityOfNew } from './visibility.ts';

/** Types of media that clients create without bytes. */
export const LINK_TYPES = ['url', 'vimeo', 'embed', 'share', 'image'] as const;

const { name, sortOrder, visibility, isPublic } = mediaInput.shape;

const linkInput = mediaInput.extend({
  // Null is the default where a stored value is never null.
  name: name.nullable(),
  sortOrder: sortOrder.nullable(),
  visibility: visibility.nullable(),
  isPublic: isPublic.nullable(),
  type: z.enum(LINK_TYPES, 'Expected url, vimeo, embed, share or image.'),
  url: webUrl.nullish(),
  embedType: displayName(100).nullish(),
  embedId: displayName(255).nullish(),
  embedUrl: webUrl.nullish(),
  embedMetadata: jsonObject.nullish(),
  folderId: z.int().nullish(),
  tagIds: idList.nullish(),
});

/** Input of `createMedia`. */
export type LinkInput = z.input<typeof linkInput>;
type Link = z.output<typeof linkInput>;

/**
 * Creates a media item without bytes: a page or a video elsewhere (`url`, `vimeo`), an image elsewhere (`image`), or a
 * thing of another system (`embed`, `share`). Throws InvalidInputError for a field that the type needs; NotFoundError
 * for folder and tags; QuotaExceededError.
 */
export async function createMedia(ctx: Context, input: LinkInput): Promise<Media> {
  authorize(ctx, 'media.create');
  const link = parseInput(linkInput, input);
  checkNeeded(link);
  return transact(ctx, async (ctx) => {
    await checkQuota(ctx, { items: 1 });
    const place = link.folderId ? await placeIn(ctx, link.folderId) : UNFILED;
    const is_public = await visibilityOfNew(ctx, link, place.path);
    const row = await insertNode(ctx.db, { ...place, ...toRow(ctx, link), is_public });
    await recordAudit(ctx, {
      action: 'create',
      target: nodeTarget(row),
      details: { type: row.type },
    });
    await tagNewMedia(ctx, row.id, link.tagIds ?? []);
    ctx.events.publish(mediaEvent('created', row));
    const media = toMedia(row);
    if (isPageType(media.type)) await enqueueFetch(ctx, media);
    return media;
  });
}

// The page is read later: another server may take its time.
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
      message: `It is required for the type ${link.type}.`,
    }));
  if (issues.length > 0) throw new InvalidInputError(issues);
}

function toRow(ctx: Context, link: Link) {
  const now = ctx.clock();
  const uuid = ctx.newId();
  const isImage = link.type === 'image';
  const address = link.url ?? link.embedUrl ?? null;
  const title = cleanName(link.title ?? '');
  const name = link.name || title || address || `${link.embedType} ${link.embedId}`;
  return {
    ...mediaColumns(link),
    uuid,
    type: link.type,
    resource: uuid,
    name: cleanName(name.slice(0, 255)),
    title: link.title ?? link.name ?? null,
    url: isImage ? null : address,
    image_url: link.imageUrl ?? (isImage ? address : null),
    embed_type: link.embedType ?? null,
    embed_id: link.embedId ?? null,
    embed_url: link.embedUrl ?? null,
    embed_metadata: link.embedMetadata ? JSON.stringify(link.embedMetadata) : null,
    owner: ctx.viewer.id,
    client_hash: ctx.client?.hash ?? null,
    created_at: now,
    updated_at: now,
  };
}
