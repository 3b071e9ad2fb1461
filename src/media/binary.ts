import { fileTypeFromBuffer } from 'file-type';

type BinaryType = readonly [mimeType: string, extension: string];

/**
 * The format that the beginning of a file shows by its magic numbers, and its usual extension;
 * `null` when there is none. For what is neither text nor ZIP. Only ever looks at `head`.
 */
export async function binaryType(head: Buffer): Promise<BinaryType | null> {
  if (startsWith(head, '\x1f\x8b\x08')) return ['application/gzip', 'gz'];
  // Whatever is behind the tag. file-type skips it and goes by the rest: a GIF after a tag would be
  // a picture to it.
  if (startsWith(head, 'ID3')) return ['audio/mpeg', 'mp3'];
  if (startsWith(head, 'OggS')) return oggType(head);
  // Binary data behind a byte order mark is no format that anything reads; file-type looks behind
  // it all the same.
  if (BYTE_ORDER_MARKS.some((mark) => startsWith(head, mark))) return null;
  const found = await recognise(head);
  if (found === null) return isTiff(head) ? ['image/tiff', 'tif'] : null;
  return refine(found, head);
}

const BYTE_ORDER_MARKS = ['\xef\xbb\xbf', '\xff\xfe', '\xfe\xff'];

function startsWith(head: Buffer, signature: string): boolean {
  return head.toString('latin1', 0, signature.length) === signature;
}

/** A parser's exception on untrusted bytes means that they are not of its format. */
async function recognise(head: Buffer): Promise<BinaryType | null> {
  try {
    const found = await fileTypeFromBuffer(head);
    return found ? [found.mime, found.ext] : null;
  } catch {
    return null;
  }
}

/**
 * Most writers put the directory of a TIFF at its end, where file-type, given the head only, does
 * not find it.
 */
function isTiff(head: Buffer): boolean {
  return startsWith(head, 'II*\0') || startsWith(head, 'MM\0*');
}

function refine(found: BinaryType, head: Buffer): BinaryType {
  const [mimeType] = found;
  if (mimeType === 'image/heif' || mimeType === 'image/heif-sequence')
    return heifType(head) ?? found;
  if (mimeType === 'video/webm' && hasOnlySound(head)) return ['audio/webm', 'weba'];
  if (mimeType === 'video/matroska' && hasOnlySound(head)) return ['audio/matroska', 'mka'];
  return found;
}

/**
 * Some encoders name the general brand first, and the codec's among the compatible ones (ISO
 * 14496-12 §4.3).
 */
function heifType(head: Buffer): BinaryType | null {
  const brands = head.toString('latin1', 16, Math.min(head.readUInt32BE(0), 128));
  if (/^(?:....)*?avi[fs]/s.test(brands)) return ['image/avif', 'avif'];
  return /^(?:....)*?hei[cx]/s.test(brands) ? ['image/heic', 'heic'] : null;
}

/**
 * The codecs of all tracks stand in the head of any file made for streaming (Matroska codec
 * mappings, RFC 9559).
 */
function hasOnlySound(head: Buffer): boolean {
  const text = head.toString('latin1');
  return /A_(?:OPUS|VORBIS|AAC|MPEG|FLAC|PCM)/.test(text) && !/V_[A-Z]{2}/.test(text);
}

/**
 * By the first packets of the streams, all of which come before any other data (RFC 3533 §4). Video
 * goes before sound.
 */
function oggType(head: Buffer): BinaryType {
  const pages = head.toString('latin1', 0, 4096);
  const codec = OGG_CODECS.find(([packet]) => pages.includes(packet));
  return codec ? [codec[1], codec[2]] : ['application/ogg', 'ogx'];
}

const OGG_CODECS: readonly [firstPacket: string, mimeType: string, extension: string][] = [
  ['\x80theora', 'video/ogg', 'ogv'],
  ['\x01video\0', 'video/ogg', 'ogm'],
  ['\x01vorbis', 'audio/ogg', 'ogg'],
  ['OpusHead', 'audio/ogg', 'opus'],
  ['\x7fFLAC', 'audio/ogg', 'oga'],
  ['Speex   ', 'audio/ogg', 'spx'],
];
