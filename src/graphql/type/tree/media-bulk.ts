import type { InputShapeFromFields } from '@pothos/core';
import { updateMedias } from '../../../domain/bulk/change.ts';
import { NotFoundError } from '../../../domain/error.ts';
import { parseNodeIds } from '../../id.ts';
import { type InputFields, mutation } from '../../mutation.ts';
import { MediaRef } from './media.ts';
import { cropFields, mediaFields, withMetadata } from './media-input.ts';

/** The fields that one mutation sets for many media. */
export const bulkFields = (t: InputFields) => {
  const { sortOrder: _, imageUrl: __, ...fields } = mediaFields(t);
  return {
    ...fields,
    ...cropFields(t),
    tagIds: t.idList({
      description:
        'Global ids of the tags to add to each media item, at most 200. `tagMedia` removes tags.',
    }),
  };
};

/** Returns the fields for the domain. A field that is never empty is not set by null. */
export function toBulkChange({
  tagIds,
  name,
  visibility,
  isPublic,
  ...change
}: InputShapeFromFields<ReturnType<typeof bulkFields>>) {
  return {
    ...withMetadata(change),
    tagIds: parseNodeIds(['Tag'], tagIds ?? [], 'tagIds'),
    name: name ?? undefined,
    visibility: visibility ?? undefined,
    isPublic: isPublic ?? undefined,
  };
}

mutation('updateMedias', {
  description:
    'Changes the same fields of many media, and adds tags to them. If one media item cannot be changed, nothing changes, and the error names the first one in the order of `ids`. Media that become private get new URLs for their files. Requires the role `EDITOR` if the viewer created all of the media, and `ADMIN` otherwise.',
  errors: [NotFoundError],
  inputNote:
    'Omitted fields stay unchanged. Null leaves `name`, `visibility` and `isPublic` unchanged, and clears any other field.',
  input: (t) => ({
    ids: t.idList({ required: true, description: 'Global ids of the media, 1 to 200.' }),
    ...bulkFields(t),
  }),
  success: {
    field: 'medias',
    type: [MediaRef],
    description: 'The changed media, in the order of `ids`.',
  },
  resolve: (domain, { ids, ...change }) =>
    updateMedias(domain, { ...toBulkChange(change), ids: parseNodeIds(['Media'], ids, 'ids') }),
});
