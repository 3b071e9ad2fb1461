import { InvalidInputError, NotFoundError } from '../../../domain/error.ts';
import { filesByMediaIds } from '../../../domain/file/file.ts';
import { createMedia, LINK_TYPES } from '../../../domain/tree/link.ts';
import { findMedia, isPageType, type Media } from '../../../domain/tree/media.ts';
import { deleteMedia, findOwnMedia, updateMedia } from '../../../domain/tree/media-change.ts';
import { authorize } from '../../../domain/viewer/access.ts';
import type { Answer, Call } from '../../../http/dialect.ts';
import { readBody } from '../body.ts';
import { choice, readFields, text } from '../field.ts';
import { parseId } from '../list.ts';
import { toLinkInput } from './link.ts';
import { toMediaBody } from './media-shape.ts';

/** `POST /media/`: contract §2.3. */
export async function postMedia(call: Call): Promise<Answer> {
  const { fields } = await readBody(call.request);
  const { type } = readFields(fields, { type: ['type', choice(LINK_TYPES)] });
  const input = toLinkInput(type, fields);
  const media = await createMedia(call.ctx, input).catch(renameFields);
  return { status: 201, body: await show(call, media) };
}

/** `GET /media/{id}/`: contract §2.7. */
export async function getMedia(call: Call): Promise<Answer> {
  return { status: 200, body: await show(call, await find(call)) };
}

/** `POST /media/{id}/click/`: contract §2.7. Clicks are not counted here. */
export async function clickMedia(call: Call): Promise<Answer> {
  await find(call);
  return { status: 204, body: null };
}

/** `PUT /media/{id}/`: contract §2.4, the image of a link, which is required. */
export function putMedia(call: Call): Promise<Answer> {
  return change(call, { isImageRequired: true });
}

/** `PATCH /media/{id}/`: as PUT, but without an image it changes nothing. */
export function patchMedia(call: Call): Promise<Answer> {
  return change(call, { isImageRequired: false });
}

/** `DELETE /media/{id}/`: contract §2.5. */
export async function removeMedia({ ctx, request }: Call): Promise<Answer> {
  await deleteMedia(ctx, parseId(request, 'media'));
  return { status: 204, body: null };
}

async function change(call: Call, { isImageRequired }: { isImageRequired: boolean }) {
  const { ctx, request } = call;
  const id = parseId(request, 'media');
  // First: a viewer who may not change the media item learns nothing about the body's faults.
  const { type } = await findOwnMedia(ctx, id, 'media.update');
  const { fields } = await readBody(request);
  // Contract §2.4: every other media item has an image of its own, or none.
  if (!isPageType(type)) {
    const message = 'The image can be set only for media of type url or vimeo.';
    throw InvalidInputError.of('image', 'INVALID', message);
  }
  const { image } = readFields(fields, { image: ['image', text] });
  if (isImageRequired && image === undefined) throw InvalidInputError.of('image', 'REQUIRED', '');
  if (image === '') throw InvalidInputError.of('image', 'BLANK', '');
  const media = await updateMedia(ctx, id, { imageUrl: image }).catch(renameFields);
  return { status: 200, body: await show(call, media) };
}

/**
 * Returns the media item of the URL. Contract §8 row 13: without a credential, a private media item and a missing one
 * get the same response, which asks for a credential.
 */
async function find({ ctx, request }: Call): Promise<Media> {
  const id = parseId(request, 'media');
  const media = await findMedia(ctx, { id });
  if (media !== null) return media;
  authorize(ctx, 'media.read');
  throw new NotFoundError('media', id);
}

async function show({ ctx, toUrl }: Call, media: Media): Promise<object> {
  const files = await filesByMediaIds(ctx, [media.id]);
  return toMediaBody(media, files.get(media.id) ?? [], toUrl);
}

/** Names of the domain with those that this dialect has for them. */
const NAMES: Readonly<Record<string, string>> = { imageUrl: 'image', embedUrl: 'url' };
const URLS = ['url', 'image'];

function renameFields(error: unknown): never {
  if (!(error instanceof InvalidInputError)) throw error;
  throw new InvalidInputError(
    error.issues.map(({ path: [field = '', ...rest], ...issue }) => {
      const name = NAMES[field] ?? field;
      // §2.3: the user interface translates the code of this message alone.
      const isBadUrl = URLS.includes(String(name)) && issue.code === 'INVALID';
      return {
        ...issue,
        path: [name, ...rest],
        ...(isBadUrl && { message: 'Enter a valid URL.' }),
      };
    }),
  );
}
