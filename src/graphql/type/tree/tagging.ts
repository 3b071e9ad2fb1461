import { tagMedia } from '../../../domain/bulk/tagging.ts';
import { NotFoundError } from '../../../domain/error.ts';
import type { MediaSelection } from '../../../domain/tree/facet.ts';
import { countMediasOfEach, mediasOfEach } from '../../../domain/tree/media-list.ts';
import { builder } from '../../builder.ts';
import { pageConnection } from '../../connection.ts';
import { parseNodeIds } from '../../id.ts';
import { mutation } from '../../mutation.ts';
import { TagRef } from '../tag/tag.ts';
import { MediaConnection, MediaRef } from './media.ts';

builder.objectField(TagRef, 'medias', (t) =>
  t.connection(
    {
      type: MediaRef,
      description: 'Media with this tag, newest first.',
      ...pageConnection(
        (domain, tagIds, page, only) =>
          mediasOfEach(domain, 'tag', tagIds, page, {}, undefined, only),
        (domain, tagIds) => countMediasOfEach(domain, 'tag', tagIds),
        (id): MediaSelection => ({ filter: {}, group: { by: 'tag', id } }),
      ),
    },
    MediaConnection,
  ),
);

mutation('tagMedia', {
  description:
    'Adds tags to media and removes tags from them. If one media item cannot be changed, nothing changes. Requires the role `EDITOR` if the viewer created all of the media, and `ADMIN` otherwise.',
  errors: [NotFoundError],
  input: (t) => ({
    mediaIds: t.idList({
      required: true,
      description: 'Global ids of the media to change, at most 200.',
    }),
    addTagIds: t.idList({
      description: 'Global ids of the tags to add to each media item, at most 200.',
    }),
    removeTagIds: t.idList({
      description:
        'Global ids of the tags to remove from each media item, at most 200. A tag in both lists is removed.',
    }),
  }),
  success: {
    field: 'medias',
    type: [MediaRef],
    description: 'The changed media, in the order of `mediaIds`.',
  },
  resolve: (domain, { mediaIds, addTagIds, removeTagIds }) =>
    tagMedia(domain, {
      mediaIds: parseNodeIds(['Media'], mediaIds, 'mediaIds'),
      addTagIds: parseNodeIds(['Tag'], addTagIds ?? [], 'addTagIds'),
      removeTagIds: parseNodeIds(['Tag'], removeTagIds ?? [], 'removeTagIds'),
    }),
});
