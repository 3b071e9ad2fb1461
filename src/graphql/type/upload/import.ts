import { InvalidInputError, NotFoundError } from '../../../domain/error.ts';
import type { Job } from '../../../domain/job/job.ts';
import { importUrl } from '../../../domain/upload/import.ts';
import { builder } from '../../builder.ts';
import { parseNodeIds, parseOptionalNodeId } from '../../id.ts';
import { JobRef } from '../job/job.ts';

const ImportUrlInput = builder.inputType('ImportUrlInput', {
  description: 'Input of `importUrl`.',
  fields: (t) => ({
    url: t.field({ type: 'URL', required: true, description: 'Of the file; http or https.' }),
    filename: t.string({
      description: 'At most 255 characters; default: as its server, or else its URL, says.',
    }),
    folderId: t.id({ description: 'The folder to put it in; without: unfiled.' }),
    tagIds: t.idList({ description: 'Tags to give it, at most 200.' }),
  }),
});

const ImportUrlSuccess = builder.objectRef<{ job: Job }>('ImportUrlSuccess').implement({
  description: 'The file will be fetched.',
  fields: (t) => ({
    job: t.expose('job', {
      type: JobRef,
      description: 'What fetches it; its `result` names the media: `media_uuid`, `media_id`.',
    }),
  }),
});

builder.mutationField('importUrl', (t) =>
  t.field({
    type: ImportUrlSuccess,
    errors: { types: [InvalidInputError, NotFoundError] },
    description:
      'Has a file that is elsewhere fetched and made a media of. Only public addresses are fetched from, and those that the configuration allows.',
    args: { input: t.arg({ type: ImportUrlInput, required: true, description: 'Which file.' }) },
    resolve: async (_root, { input: { url, filename, folderId, tagIds } }, { domain }) => ({
      job: await importUrl(domain, {
        url,
        filename,
        folderId: parseOptionalNodeId('Folder', folderId, 'folderId') ?? null,
        tagIds: parseNodeIds(['Tag'], tagIds ?? [], 'tagIds'),
      }),
    }),
  }),
);
