import { copyMedia } from '../../../domain/copy/copy-media.ts';
import { NotFoundError } from '../../../domain/error.ts';
import { InsufficientStorageError, QuotaExceededError } from '../../../domain/storage-error.ts';
import { parseNodeId, parseOptionalNodeId } from '../../id.ts';
import { mutation } from '../../mutation.ts';
import { MediaRef } from '../tree/media.ts';

mutation('copyMedia', {
  description:
    'Creates a copy of a media item, with the same bytes, texts, tags, attributes and visibility. The viewer becomes its creator, and its bytes count for the quota of the viewer. The copy has ids and URLs of its own, and neither the `File.resource` nor the versions of the original. A thumbnail is created again, in a job. At most 200 files are copied; a media item with more returns an `InvalidInputError` with the issue code `TOO_MANY_FILES`. Fails with `FILE_DAMAGED` if the stored bytes are damaged. Requires the role `EDITOR`; with `TRIVIUM_AUTH=open`, anyone may call it.',
  errors: [NotFoundError, QuotaExceededError, InsufficientStorageError],
  input: (t) => ({
    id: t.id({ required: true, description: 'Global id of the media item to copy.' }),
    folderId: t.id({
      description:
        'Global id of the folder to create the copy in, at its end; null: the copy is unfiled. Defaults to the folder of the original.',
    }),
    name: t.string({
      description:
        'Name of the copy, 1 to 255 characters. Defaults to the name of the original. A new name also becomes the title if the title of the original is the same as its name.',
    }),
  }),
  success: { field: 'media', type: MediaRef, description: 'The new media item.' },
  resolve: (domain, { id, folderId, name }) =>
    copyMedia(domain, {
      id: parseNodeId('Media', id, 'id'),
      folderId: folderId === null ? null : parseOptionalNodeId('Folder', folderId, 'folderId'),
      name,
    }),
});
