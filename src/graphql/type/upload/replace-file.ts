import {
  DigestMismatchError,
  NotFoundError,
  TooLargeError,
  UnsupportedMediaError,
} from '../../../domain/error.ts';
import type { Media } from '../../../domain/tree/media.ts';
import { replaceFile } from '../../../domain/upload/upload-file.ts';
import { builder } from '../../builder.ts';
import { withFile } from '../../file-upload.ts';
import { parseNodeId } from '../../id.ts';
import { MediaRef } from '../tree/media.ts';

const ReplaceFileInput = builder.inputType('ReplaceFileInput', {
  description: 'Input of `replaceFile`.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The media.' }),
    file: t.field({ type: 'Upload', required: true, description: 'The whole new file.' }),
    md5: t.string({ description: 'Of the file, 32 hex digits; checked before it counts.' }),
  }),
});

const ReplaceFileSuccess = builder.objectRef<{ media: Media }>('ReplaceFileSuccess').implement({
  description: 'The media has the new file, and the bytes of the old one are gone.',
  fields: (t) => ({
    media: t.expose('media', { type: MediaRef, description: 'The media as it is now.' }),
  }),
});

builder.mutationField('replaceFile', (t) =>
  t.field({
    type: ReplaceFileSuccess,
    errors: { types: [NotFoundError, DigestMismatchError, TooLargeError, UnsupportedMediaError] },
    description:
      'Puts a file in the place of the original of a media, which keeps its ids, its tags and its folder, and is of the type that the new file is. Its variants are made anew. Its creator or an admin may. A media without a file has none to replace.',
    args: { input: t.arg({ type: ReplaceFileInput, required: true, description: 'The file.' }) },
    resolve: (_root, { input }, { domain }) =>
      withFile(input.file, 'file', async (file) => ({
        media: await replaceFile(domain, parseNodeId('Media', input.id, 'id'), {
          ...file,
          md5: input.md5,
        }),
      })),
  }),
);
