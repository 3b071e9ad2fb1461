import { findFocus } from '../../store/rendition/focus.ts';
import type { Crop } from '../attribute.ts';
import type { Context } from '../context.ts';

/** The parts of an image that matter, as its media item names them. */
export interface Focus {
  /** The most important point, in fractions of the size. Null: not set. */
  focalPoint: { left: number; top: number } | null;
  crops: readonly Crop[];
}

/** Returns the focal point and the crops of a media item. The caller has found a file of it that the viewer may see. */
export async function focusOf(ctx: Context, mediaId: number): Promise<Focus> {
  const row = await findFocus(ctx.db, mediaId);
  return {
    focalPoint: row?.focal_point == null ? null : JSON.parse(row.focal_point),
    crops: row?.crops == null ? [] : JSON.parse(row.crops),
  };
}
