import type { FileDetails } from '../../media/file/details.ts';
import type { NodeRow } from '../../store/table.ts';
import type { Context } from '../context.ts';
import { maySeeLocationOf } from '../viewer/access.ts';

/** What the original of a media item says of itself; null: it does not say it. */
export type MediaDetails = {
  [Name in keyof Omit<FileDetails, 'takenAt'>]-?: NonNullable<FileDetails[Name]> | null;
} & { takenAt: Date | null };

const EMPTY: MediaDetails = {
  takenAt: null,
  camera: null,
  lens: null,
  exposure: null,
  iso: null,
  latitude: null,
  longitude: null,
  altitudeM: null,
  width: null,
  height: null,
  durationMs: null,
  frameRate: null,
  videoCodec: null,
  audioCodec: null,
  bitRate: null,
  pageCount: null,
  textSnippet: null,
  author: null,
  copyright: null,
};

/** Returns the details in a row of a media item; null if they have not been read. */
export function toDetails({ details }: Pick<NodeRow, 'details'>): MediaDetails | null {
  if (details === null) return null;
  const { takenAt, ...found } = JSON.parse(details) as FileDetails;
  return { ...EMPTY, ...found, takenAt: takenAt === undefined ? null : new Date(takenAt) };
}

/** Returns the part of the details of a media item that the viewer may see: see `maySeeLocationOf`. */
export function visibleDetails(
  ctx: Context,
  { details, owner }: { details: MediaDetails | null; owner: string | null },
): MediaDetails | null {
  if (details === null || maySeeLocationOf(ctx, owner)) return details;
  return { ...details, latitude: null, longitude: null, altitudeM: null };
}
