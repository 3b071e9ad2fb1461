import { NotFoundError } from '../../../domain/error.ts';
import { importUrl } from '../../../domain/upload/import.ts';
import { mutation } from '../../mutation.ts';
import { JobRef } from '../job/job.ts';
import { placementFields, toPlacement, visibilityField } from '../tree/media-input.ts';

mutation('importUrl', {
  description:
    'Downloads a file from a URL and creates a media item from it, in a background job. The server downloads only from public addresses, and from private addresses that its configuration allows. Requires the role `EDITOR`.',
  errors: [NotFoundError],
  input: (t) => ({
    url: t.field({
      type: 'URL',
      required: true,
      description: 'URL of the file, http or https.',
    }),
    filename: t.string({
      description:
        'Filename, at most 255 characters. Defaults to the filename that the remote server sends, else to the last part of the URL.',
    }),
    ...visibilityField(t),
    ...placementFields(t),
  }),
  success: {
    field: 'job',
    type: JobRef,
    description:
      'The job that downloads the file. When it has completed, its `result` contains `media_uuid` and `media_id`.',
  },
  resolve: (domain, input) => importUrl(domain, { ...input, ...toPlacement(input) }),
});
