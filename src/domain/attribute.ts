import { z } from 'zod';
import { clientKey, displayName, freeText, titleText } from './input.ts';
import { metadataInput } from './metadata.ts';

/** A named crop of an image. Coordinates are the fractions to cut off at each side. */
export interface Crop {
  alias: string;
  width: number;
  height: number;
  coordinates?: { x1: number; y1: number; x2: number; y2: number } | null | undefined;
}

const fraction = z.number().min(0).max(1);
const crop = z.object({
  alias: displayName(100),
  width: z.int().min(1).max(20_000),
  height: z.int().min(1).max(20_000),
  coordinates: z.object({ x1: fraction, y1: fraction, x2: fraction, y2: fraction }).nullish(),
});

/** Of two crops with one name, only the first could be asked for. */
function uniqueAliases({ value, issues }: z.core.ParsePayload<Crop[]>): void {
  const seen = new Set<string>();
  for (const [at, { alias }] of value.entries()) {
    if (seen.has(alias)) {
      const message = 'Each crop needs an alias of its own.';
      issues.push({ code: 'custom', path: [at, 'alias'], message, input: alias });
    }
    seen.add(alias);
  }
}

/**
 * What clients can set of a media item, besides its place, its tags and its visibility: one schema for each value. Every
 * operation that creates or changes media builds its input of them, and so do the arguments of jobs that create media.
 */
export const attributes = {
  name: displayName(255),
  sortOrder: z.int32(),
  title: titleText(255),
  description: freeText(10_000),
  keywords: freeText(1000),
  altText: freeText(2000),
  caption: freeText(5000),
  credit: freeText(500),
  metadata: metadataInput,
  focalPoint: z.object({ left: fraction, top: fraction }),
  crops: z.array(crop).max(50).check(uniqueAliases),
  /** The name of the group of its files. */
  resource: clientKey(255).min(1, 'May not be blank.'),
  /** The name of a file in the group; empty: the original. */
  key: clientKey(255),
};
