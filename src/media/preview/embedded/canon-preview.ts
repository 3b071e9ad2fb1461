import { exifOrientation } from '../../exif.ts';
import type { OpenSource } from '../../source.ts';
import { readAt } from '../raster/read.ts';
import type { Place, RawPreviews } from './place.ts';

/** The UUIDs of Canon's boxes: the metadata in `moov`, and the preview. */
const METADATA = '85c0b687820f11e08111f4ce462b6a48';
const PREVIEW = 'eaf42b5e1c984b88b9fbb7dc406e4d16';

/** Maximum number of boxes to read within another one. */
const BOXES_MAX = 200;

/** Bytes of the preview box before the box `PRVW`, and bytes of `PRVW`, with its header, before the JPEG. */
const PREFIX_BYTES = 8;
const PREVIEW_HEADER_BYTES = 24;

/** Bytes to read of the box `CMT1`, whose first directory has the orientation. */
const METADATA_BYTES = 64 * 1024;

/** Finds the JPEG in a CR3, which is an ISO base media file (ISO 14496-12 §4.2). */
export async function findCanonPreview(source: OpenSource): Promise<RawPreviews> {
  const whole = { at: 0, sizeBytes: source.sizeBytes };
  const found: RawPreviews = { places: [], orientation: 1 };
  for await (const box of boxesIn(source, whole)) {
    if (box.type === 'moov') found.orientation = await orientationIn(source, box.content);
    if (box.type !== PREVIEW) continue;
    const start = box.content.at + PREFIX_BYTES;
    const head = await readAt(source, start, PREVIEW_HEADER_BYTES);
    if (head.length < PREVIEW_HEADER_BYTES || head.toString('latin1', 4, 8) !== 'PRVW') continue;
    found.places.push({ at: start + PREVIEW_HEADER_BYTES, sizeBytes: head.readUInt32BE(20) });
  }
  return found;
}

async function orientationIn(source: OpenSource, moov: Place): Promise<number> {
  for await (const box of boxesIn(source, moov)) {
    if (box.type !== METADATA) continue;
    for await (const { type, content } of boxesIn(source, box.content)) {
      if (type !== 'CMT1') continue;
      return exifOrientation(
        await readAt(source, content.at, Math.min(content.sizeBytes, METADATA_BYTES)),
      );
    }
  }
  return 1;
}

interface Box {
  /** Four characters, or a UUID in hex. */
  type: string;
  content: Place;
}

async function* boxesIn(source: OpenSource, { at, sizeBytes }: Place): AsyncGenerator<Box> {
  const end = Math.min(at + sizeBytes, source.sizeBytes);
  for (let count = 0; count < BOXES_MAX && at + 8 <= end; count++) {
    const head = await readAt(source, at, 32);
    if (head.length < 8) return;
    let headerBytes = 8;
    let boxBytes = head.readUInt32BE(0);
    if (boxBytes === 1 && head.length >= 16) {
      boxBytes = Number(head.readBigUInt64BE(8));
      headerBytes = 16;
    }
    let type = head.toString('latin1', 4, 8);
    if (type === 'uuid') {
      type = head.toString('hex', headerBytes, headerBytes + 16);
      headerBytes += 16;
    }
    // 0: the box extends to the end.
    if (boxBytes === 0) boxBytes = end - at;
    if (boxBytes < headerBytes) return;
    yield { type, content: { at: at + headerBytes, sizeBytes: boxBytes - headerBytes } };
    at += boxBytes;
  }
}
