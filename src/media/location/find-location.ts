import type { ByteSource } from '../file/details.ts';
import { withPages } from '../file/paged-source.ts';
import { findInBoxes } from './box-location.ts';
import { findInTiff } from './exif-location.ts';
import { findInGif } from './gif-location.ts';
import { changingPatches, type Patch } from './patch.ts';
import { findInPng } from './png-location.ts';
import { findInWebp } from './riff-location.ts';
import { findInSegments } from './segment-location.ts';
import { readBuffer } from './window.ts';

/**
 * Tells whether location can be found in files of a MIME type: images, except drawings, and videos and sounds in
 * containers of ISO or QuickTime.
 */
export function mayHaveLocation(mimeType: string): boolean {
  return /^image\/(?!svg)/.test(mimeType) || BOXES.test(mimeType);
}

const BOXES = /^(?:video|audio)\/(?:mp4|quicktime|3gpp2?|x-m4[av])$/;

/**
 * Finds where a file says where it was recorded. Returns the patches that remove exactly that, none if it says nothing:
 * everything else stays as it is, at the same positions. Metadata that cannot be understood are removed whole, because
 * they may hold a location. Never fails because of the bytes. Reads an image once; of a video, little more than the
 * headers of boxes.
 */
export async function findLocation(source: ByteSource, mimeType: string): Promise<Patch[]> {
  if (!mayHaveLocation(mimeType)) return [];
  const paged = withPages(source);
  const head = (await readBuffer(paged, 0, 16)).toString('latin1');
  return changingPatches(paged, await find(paged, head));
}

async function find(source: ByteSource, head: string): Promise<Patch[]> {
  if (head.startsWith('\x89PNG')) return findInPng(source);
  if (head.startsWith('RIFF')) return findInWebp(source);
  if (head.startsWith('GIF8')) return findInGif(source);
  if (/^.{4}(?:ftyp|moov|wide|mdat|free|skip|JXL )/s.test(head)) return findInBoxes(source);
  if (/^(?:II|MM)/.test(head)) {
    return [...(await findInTiff(source)).patches, ...(await findInSegments(source))];
  }
  // Videos follow a photo that moves.
  return [...(await findInSegments(source)), ...(await findInVideoAfter(source))];
}

const PIECE_BYTES = 1024 * 1024;
const VIDEOS_MAX = 20;

/** Finds location in videos that cameras append to a JPEG, as Samsung and Google do. */
async function findInVideoAfter(source: ByteSource): Promise<Patch[]> {
  const patches: Patch[] = [];
  let videos = 0;
  for (let at = 0; at < source.sizeBytes; at += PIECE_BYTES) {
    const bytes = await readBuffer(source, at, PIECE_BYTES + 16);
    for (
      let index = bytes.indexOf(FILE_TYPE, 4);
      index >= 0;
      index = bytes.indexOf(FILE_TYPE, index + 4)
    ) {
      if (index >= PIECE_BYTES + 4 || videos >= VIDEOS_MAX) break;
      const size = bytes.readUInt32BE(index - 4);
      if (size < 16 || size > 256 || size % 4 !== 0) continue;
      videos++;
      const start = at + index - 4;
      const rest: ByteSource = {
        sizeBytes: source.sizeBytes - start,
        read: (position, lengthBytes) => source.read(start + position, lengthBytes),
      };
      const found = await findInBoxes(rest);
      patches.push(...found.map((patch) => ({ ...patch, offset: patch.offset + start })));
    }
  }
  return patches;
}

const FILE_TYPE = Buffer.from('ftyp');
