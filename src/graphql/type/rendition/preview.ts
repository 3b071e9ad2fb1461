import type { File } from '../../../domain/file/file.ts';
import { previewErrorOf, renderableAmong } from '../../../domain/rendition/preview-state.ts';
import type { Media } from '../../../domain/tree/media.ts';
import { builder } from '../../builder.ts';
import { foundFiles } from '../file/file.ts';
import { MediaRef } from '../tree/media.ts';
import { ImageRef, imageNeeds, toStoredImage } from './image.ts';

builder.objectFields(MediaRef, (t) => ({
  preview: t.field({
    type: ImageRef,
    nullable: true,
    description:
      'Image that shows the content of the original file. It is the original if the server can render it; otherwise a WebP of at most 2048 by 2048 pixels, which a background job draws from a HEIC image, an SVG, the first page of a PDF and the like. Null until it is drawn, if it cannot be drawn (see `previewError`), for types that are never drawn, for a link, and for a media item in the trash.',
    ...foundFiles({
      needs: ['id', 'focalPoint', 'crops'],
      only: (field) => [...imageNeeds(field), 'mimeType'],
      keysOf: idOf,
      valueOf: ([files], media: Media) => toPreview(media, files),
    }),
  }),
  previewError: t.field({
    type: 'String',
    nullable: true,
    description:
      'Why there is no `preview`: the file could not be drawn within the limits, or the decoder that it needs is not available on this server. Null if there is a preview, if it may still be drawn, and for types that are never drawn.',
    ...foundFiles({
      needs: ['id', 'previewError'],
      only: ['width', 'height', 'mimeType'],
      keysOf: idOf,
      valueOf: ([files], { previewError }: Media, { domain }) =>
        previewErrorOf(domain, previewError, files),
    }),
  }),
}));

/** Returns the stored image that shows a media item, whatever its type is. */
function toPreview(media: Media, files: readonly File[] | undefined) {
  const file = renderableAmong(files);
  return file && toStoredImage(media, file);
}

function idOf({ id }: Media): number[] {
  return [id];
}
