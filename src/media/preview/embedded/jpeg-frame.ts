import type { FileWindow } from '../../file-window.ts';
import type { Place } from './place.ts';

/** What the header of a JPEG says. */
interface JpegFrame {
  width: number;
  height: number;
  /** Whether it uses the lossless process, which hardly any program decodes. */
  isLossless: boolean;
  hasExif: boolean;
}

const [SOF0, SOF15, DHT, JPG, DAC, SOS, APP1] = [0xc0, 0xcf, 0xc4, 0xc8, 0xcc, 0xda, 0xe1] as const;
const LOSSLESS: ReadonlySet<number> = new Set([0xc3, 0xc7, 0xcb, 0xcf]);

/** Maximum number of segments before the frame. */
const SEGMENTS_MAX = 200;

/** Reads the header of a JPEG (ITU-T T.81 B.2); undefined if there is no JPEG. */
export async function jpegFrame(
  window: FileWindow,
  { at, sizeBytes }: Place,
): Promise<JpegFrame | undefined> {
  const start = await window.at(at, 3);
  if (start[0] !== 0xff || start[1] !== 0xd8 || start[2] !== 0xff) return undefined;
  let hasExif = false;
  let position = at + 2;
  for (let count = 0; count < SEGMENTS_MAX && position + 4 <= at + sizeBytes; count++) {
    const segment = await window.at(position, 10);
    const [sign, marker = 0] = segment;
    if (segment.length < 10 || sign !== 0xff || marker === SOS) return undefined;
    if (marker === 0xff) {
      // A fill byte.
      position++;
      continue;
    }
    hasExif ||= marker === APP1 && segment.toString('latin1', 4, 8) === 'Exif';
    if (isFrame(marker)) {
      const [height, width] = [segment.readUInt16BE(5), segment.readUInt16BE(7)];
      return { width, height, isLossless: LOSSLESS.has(marker), hasExif };
    }
    position += 2 + segment.readUInt16BE(2);
  }
  return undefined;
}

function isFrame(marker: number): boolean {
  return marker >= SOF0 && marker <= SOF15 && ![DHT, JPG, DAC].includes(marker as typeof DHT);
}
