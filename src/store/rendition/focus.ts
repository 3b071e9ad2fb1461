import type { Db } from '../db.ts';
import { prepared } from '../prepared.ts';
import { kept } from '../sqlite/kept.ts';
import type { NodeRow } from '../table.ts';

/** The columns of a media item that name the important parts of its image, as JSON. */
export type FocusRow = Readonly<Pick<NodeRow, 'focal_point' | 'crops'>>;

/** Returns the focal point and the crops of a media item. The caller has found a file of it that its viewer may see. */
export async function findFocus(db: Db, mediaId: number): Promise<FocusRow | undefined> {
  const [row] = await byMedia(db, { mediaId });
  return row;
}

interface ByMedia {
  mediaId: number;
}

const byMedia = kept(
  prepared<ByMedia, FocusRow>({
    isLookup: true,
    keyOf: () => '',
    lookupsOf: () => 1,
    build: (db, _args, slot) =>
      db.selectFrom('media').where('id', '=', slot(mediaIdOf)).select(['focal_point', 'crops']),
  }),
  ({ mediaId }) => String(mediaId),
);

const mediaIdOf = ({ mediaId }: ByMedia) => mediaId;
