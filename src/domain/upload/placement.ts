import { z } from 'zod';
import type { NewNodeRow } from '../../store/table.ts';
import { idList } from '../input.ts';
import { MEDIA_TYPES, type MediaColumns, type MediaType, mediaInput } from '../tree/media.ts';
import type { FileType } from './media-type.ts';

/** What bytes may be. */
export interface Policy {
  /** Null: the content decides. */
  type: MediaType | null;
  /** Types that the road can express; default: all that hold a file. */
  allowedTypes?: readonly FileType[];
  /**
   * What bytes are taken for that nothing recognises, and pictures that cannot be read: they are served as
   * what they are, and have no size. Default: they are refused.
   */
  unreadableAs?: FileType;
}

/** What the media shall be. */
export interface MediaRequest extends Policy {
  /** Null: unfiled. */
  folderId: number | null;
  title: string | null;
  description: string | null;
  tagIds: readonly number[];
  /** What else its row begins with. */
  columns?: MediaColumns & Partial<Pick<NewNodeRow, 'media_type_alias' | 'resource'>>;
}

/** Input of every operation that makes a media of bytes. */
export const placementInput = mediaInput.pick({ title: true, description: true }).extend({
  type: z.enum(MEDIA_TYPES).nullish(),
  folderId: z.int().nullish(),
  tagIds: idList.nullish(),
});

/** The parsed input with everything absent as null or empty. */
export function toRequest(
  placement: z.output<typeof placementInput>,
  allowedTypes?: readonly FileType[],
): MediaRequest {
  return {
    type: placement.type ?? null,
    folderId: placement.folderId ?? null,
    title: placement.title ?? null,
    description: placement.description ?? null,
    tagIds: placement.tagIds ?? [],
    ...(allowedTypes && { allowedTypes }),
  };
}
