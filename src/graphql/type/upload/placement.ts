import type { MediaType } from '../../../domain/tree/media.ts';
import type { builder } from '../../builder.ts';
import { parseNodeIds, parseOptionalNodeId } from '../../id.ts';
import { MediaTypeEnum } from '../tree/media-type.ts';

type InputFields = Parameters<Parameters<typeof builder.inputType>[1]['fields']>[0];

/** Fields of every input that makes a media of bytes. */
export function placementFields(t: InputFields) {
  return {
    type: t.field({ type: MediaTypeEnum, description: 'Without: the content decides.' }),
    folderId: t.id({ description: 'The folder to put it in; without: unfiled.' }),
    title: t.string({ description: 'At most 255 characters; default: the filename.' }),
    description: t.string({ description: 'At most 10,000 characters.' }),
    tagIds: t.idList({ description: 'Tags to give it, at most 200.' }),
  };
}

interface PlacementInput {
  type?: MediaType | null | undefined;
  folderId?: string | null | undefined;
  title?: string | null | undefined;
  description?: string | null | undefined;
  tagIds?: string[] | null | undefined;
}

/** The same for the domain, with its ids. Throws InvalidInputError for an id of something else. */
export function toPlacement({ type, folderId, title, description, tagIds }: PlacementInput) {
  return {
    type,
    title,
    description,
    folderId: parseOptionalNodeId('Folder', folderId, 'folderId') ?? null,
    tagIds: parseNodeIds(['Tag'], tagIds ?? [], 'tagIds'),
  };
}
