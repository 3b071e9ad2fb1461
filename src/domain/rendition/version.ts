import { hash } from 'node:crypto';
import type { Focus } from './focus.ts';

/** 60 bits, which is enough to tell the versions of one image apart. */
const LENGTH = 10;

/**
 * Returns the version of an image. It changes with the bytes, the focal point and the crops. All renditions of an image have
 * the same version.
 */
export function versionOf(md5: string, { focalPoint, crops }: Focus): string {
  const point = focalPoint && [focalPoint.left, focalPoint.top];
  const areas = crops.map(({ alias, width, height, coordinates: at }) => [
    ...[alias, width, height],
    at ? [at.x1, at.y1, at.x2, at.y2] : null,
  ]);
  return hash('sha256', JSON.stringify([md5, point, areas]), 'base64url').slice(0, LENGTH);
}
