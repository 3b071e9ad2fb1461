import { NotFoundError } from '../../../domain/error.ts';
import { createArchiveUrl } from '../../../domain/file/archive-url.ts';
import { parseNodeIds, parseOptionalNodeId } from '../../id.ts';
import { inputArgs, mutationOf } from '../../mutation.ts';
import { pricedAsCount } from '../../price.ts';
import { MEDIA_LIST_PRICE, MediaFilterInput, toMediaFilter } from '../tree/media-filter.ts';

const archiveArgs = inputArgs(
  'createArchiveUrl',
  (t) => ({
    ids: t.idList({
      description:
        'Global ids of media and folders, 1 to 200, with at most 50 folders. A folder stands for everything below it.',
    }),
    folderId: t.id({
      description: 'Global id of a folder: the archive contains everything below it.',
    }),
    filter: t.field({
      type: MediaFilterInput,
      description:
        'The archive contains the media that match this filter at the time of the download.',
    }),
    name: t.string({
      description:
        'Name of the file that a browser saves, without `.zip`. Default: the name of the folder, or `files`.',
    }),
    expiresInSeconds: t.int({
      defaultValue: 3600,
      description: 'Lifetime of the URL in seconds, from 1 to 604,800 (7 days).',
    }),
  }),
  'Give exactly one of `ids`, `folderId` and `filter`.',
);

mutationOf<{ url: string; expiresAt: Date }, typeof archiveArgs>('createArchiveUrl', {
  description:
    'Returns a URL that downloads media as a ZIP archive of at most 10,000 files. Whoever has the URL downloads, until it expires, the original files that the viewer may see at the time of the download; it stops working when the API key or the session of the viewer ends. Folders become directories. Links are left out, and files whose bytes are lost are listed in `MISSING.txt`. Requires the role `READER` unless the server runs in open mode.',
  errors: [NotFoundError],
  price: pricedAsCount(MEDIA_LIST_PRICE),
  args: archiveArgs,
  success: (t) => ({
    url: t.expose('url', { type: 'URL', description: 'URL of the archive, for GET and HEAD.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description: 'Time at which the URL expires. A download that has begun continues.',
    }),
  }),
  resolve: async ({ domain, toUrl }, { input }) => {
    const { path, expiresAt } = await createArchiveUrl(domain, {
      name: input.name,
      expiresInSeconds: input.expiresInSeconds ?? 3600,
      ids: input.ids && parseNodeIds(['Media', 'Folder'], input.ids, 'ids'),
      folderId: parseOptionalNodeId('Folder', input.folderId, 'folderId'),
      filter: input.filter && toMediaFilter(input.filter),
    });
    return { url: toUrl(path), expiresAt };
  },
});
