import { ConflictError, NotFoundError } from '../../../domain/error.ts';
import { importUrl } from '../../../domain/upload/import.ts';
import { mutation } from '../../mutation.ts';
import { JobRef } from '../job/job.ts';
import { newMediaFields, toPlacement, withMetadata } from '../tree/media-input.ts';

mutation('importUrl', {
  description:
    'Downloads a file from a URL and creates a media item from it, in a background job. The server downloads only from public addresses, and from private addresses that its configuration allows. Requires the role `EDITOR`.',
  errors: [NotFoundError, ConflictError],
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
    ...newMediaFields(t),
    unicity: t.string({
      description:
        'Uniqueness key of the job, 1 to 255 characters: while an unfinished job has the same key, the mutation returns a `ConflictError` with the code `ALREADY_EXISTS`. May not begin with the name of a job class that only the server starts.',
    }),
    priority: t.int({
      description: 'Priority of the job; 0 by default. Jobs with a higher number run first.',
    }),
    scheduledAt: t.field({
      type: 'DateTime',
      description: 'Time before which the job does not run. Defaults to now.',
    }),
  }),
  success: {
    field: 'job',
    type: JobRef,
    description:
      'The job that downloads the file. When it has completed, its `result` contains `media_uuid` and `media_id`.',
  },
  resolve: (domain, input) => importUrl(domain, { ...withMetadata(input), ...toPlacement(input) }),
});
