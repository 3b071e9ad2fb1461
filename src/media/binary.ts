type BinaryType = readonly [mimeType: string, extension: string];

/**
 * Returns the MIME type and the usual extension of a binary file, detected from the magic numbers
 * in `head`, its beginning; `null` when the format is unknown. The caller rules out text and ZIP
 * first. Reads nothing but `head`.
 */
export async function binaryType(head: Buffer): Promise<BinaryType | null> {
  if (startsWith(head, '\x1f\x8b\x08')) return ['application/gzip', 'gz'];
  if (startsWith(head, 'ID3')) return taggedType(head);
  if (startsWith(head, 'OggS')) return oggType(head);
  // No program reads binary data after a byte order mark. file-type skips the mark and classifies
  // the rest.
  if (BYTE_ORDER_MARKS.some((mark) => startsWith(head, mark))) return null;
  const found = await recognise(head);
  if (found === null) return isTiff(head) ? ['image/tiff', 'tif'] : rasterType(head);
  return refine(found, head);
}

const BYTE_ORDER_MARKS = ['\xef\xbb\xbf', '\xff\xfe', '\xfe\xff'];

function startsWith(head: Buffer, signature: string): boolean {
  return head.toString('latin1', 0, signature.length) === signature;
}

/**
 * Returns the type that file-type detects. A parser that throws on untrusted bytes has not
 * recognised its format, so an exception counts as `null`. Loads file-type for the first file.
 */
async function recognise(head: Buffer): Promise<BinaryType | null> {
  const { fileTypeFromBuffer } = await import('file-type');
  try {
    const found = await fileTypeFromBuffer(head);
    return found ? [found.mime, found.ext] : null;
  } catch {
    return null;
  }
}

/**
 * Returns whether `head` has the signature of a TIFF. file-type also needs the directory, which
 * most writers put at the end of the file, outside of the head.
 */
function isTiff(head: Buffer): boolean {
  return TIFF_SIGNATURES.some((signature) => startsWith(head, signature));
}

/** With addresses of 32 bits, and with addresses of 64 (BigTIFF). */
const TIFF_SIGNATURES = ['II*\0', 'MM\0*', 'II+\0\x08\0', 'MM\0+\0\x08'];

/** Returns the type of an image or a drawing that file-type does not know. */
function rasterType(head: Buffer): BinaryType | null {
  const found = RASTERS.find(([signature]) => startsWith(head, signature));
  if (found) return [found[1], found[2]];
  // The header comes first; its signature follows two rectangles.
  const isEmf = startsWith(head, '\x01\0\0\0') && head.toString('latin1', 40, 44) === ' EMF';
  if (isEmf) return ['image/emf', 'emf'];
  return isPcx(head) ? ['image/vnd.zbrush.pcx', 'pcx'] : textRasterType(head.toString('latin1'));
}

const RASTERS: readonly [signature: string, mimeType: string, extension: string][] = [
  ['DDS ', 'image/vnd.ms-dds', 'dds'],
  ['qoif', 'image/qoi', 'qoi'],
  ['\x76\x2f\x31\x01', 'image/x-exr', 'exr'],
  ['\xd7\xcd\xc6\x9a', 'image/wmf', 'wmf'],
];

/** Looks at the version, the only way of packing, and the number of bits of a sample. */
function isPcx(head: Buffer): boolean {
  const [first, version = 9, packing, bits = 0] = head;
  return first === 10 && version <= 5 && packing === 1 && [1, 2, 4, 8].includes(bits);
}

/** Returns the type of an image whose header is text, from its beginning `text`; null for other text. */
export function textRasterType(text: string): BinaryType | null {
  const header = text.slice(0, HEADER_BYTES);
  const found = TEXT_RASTERS.find(([signature]) => signature.test(header));
  return found ? [found[1], found[2]] : null;
}

/** Bytes of a header that are looked at: the numbers of an ASCII image may go on for ever. */
const HEADER_BYTES = 1024;

/** The header of Netpbm: white space and comments are between the numbers. */
function netpbm(kind: string, rest: string): RegExp {
  const space = '(?:\\s|#[^\\n]*\\n)';
  return new RegExp(`^P${kind}(?=[\\s#])${space}+\\d{1,9}${space}+\\d{1,9}${rest}`);
}

/** In ASCII, nothing but numbers and comments follows. */
const NUMBERS = '(?=\\s)(?:\\s|\\d|#[^\\n]*\\n)*(?:#[^\\n]*)?$';

/** Images whose header is text. What follows may be text as well. */
const TEXT_RASTERS: readonly [signature: RegExp, mimeType: string, extension: string][] = [
  [netpbm('1', NUMBERS), 'image/x-portable-bitmap', 'pbm'],
  [netpbm('2', NUMBERS), 'image/x-portable-graymap', 'pgm'],
  [netpbm('3', NUMBERS), 'image/x-portable-pixmap', 'ppm'],
  [netpbm('4', '\\s'), 'image/x-portable-bitmap', 'pbm'],
  [netpbm('5', '\\s'), 'image/x-portable-graymap', 'pgm'],
  [netpbm('6', '\\s'), 'image/x-portable-pixmap', 'ppm'],
  [/^P7\nWIDTH \d/, 'image/x-portable-arbitrarymap', 'pam'],
  [/^#\?(?:RADIANCE|RGBE)\s/, 'image/vnd.radiance', 'hdr'],
  [/^SIMPLE {2}=/, 'image/fits', 'fits'],
];

/**
 * Returns the type of sound after an ID3 tag: MP3 unless the tag says that FLAC or AAC follows. file-type skips the tag
 * and classifies the rest: it would call a GIF after a tag an image.
 */
function taggedType(head: Buffer): BinaryType {
  // ID3v2.4 §3.1 and §6.2: the size has seven bits in each byte.
  const sizeBytes = [6, 7, 8, 9].reduce((sum, at) => sum * 128 + ((head[at] ?? 0) & 127), 0);
  const sound = head.subarray(10 + sizeBytes);
  if (startsWith(sound, 'fLaC')) return ['audio/flac', 'flac'];
  // The layer of a frame of ADTS is always 0: ISO 14496-3, table 1.A.5.
  const isAdts = sound[0] === 0xff && ((sound[1] ?? 0) & 0xf6) === 0xf0;
  return isAdts ? ['audio/aac', 'aac'] : ['audio/mpeg', 'mp3'];
}

function refine(found: BinaryType, head: Buffer): BinaryType {
  const [mimeType] = found;
  if (mimeType === 'image/heif' || mimeType === 'image/heif-sequence')
    return heifType(head) ?? found;
  if (mimeType.endsWith('ms-asf')) return asfType(head);
  if (mimeType === 'video/webm' && hasOnlySound(head)) return ['audio/webm', 'weba'];
  if (mimeType === 'video/matroska' && hasOnlySound(head)) return ['audio/matroska', 'mka'];
  return found;
}

/**
 * Returns AVIF or HEIC when the compatible brands name the codec: some encoders put a general brand
 * first and the codec's brand among the compatible ones (ISO 14496-12 §4.3).
 */
function heifType(head: Buffer): BinaryType | null {
  const brands = head.toString('latin1', 16, Math.min(head.readUInt32BE(0), 128));
  if (/^(?:....)*?avi[fs]/s.test(brands)) return ['image/avif', 'avif'];
  return /^(?:....)*?he(?:i[cxms]|v[cxms])/s.test(brands) ? ['image/heic', 'heic'] : null;
}

/**
 * Returns the type of an ASF file: video if any stream is video. file-type looks at the first stream, which may be the
 * sound (ASF specification, §3.3 and §10.2: the identifier of the stream type).
 */
function asfType(head: Buffer): BinaryType {
  return head.includes(ASF_VIDEO) ? ['video/x-ms-wmv', 'wmv'] : ['audio/x-ms-wma', 'wma'];
}

const ASF_VIDEO = Buffer.from('c0ef19bc4d5bcf11a8fd00805f5c442b', 'hex');

/**
 * Returns whether the head names an audio codec and no video codec. Any file made for streaming
 * lists the codecs of all tracks in its head (Matroska codec mappings, RFC 9559).
 */
function hasOnlySound(head: Buffer): boolean {
  const text = head.toString('latin1');
  return (
    /A_(?:OPUS|VORBIS|AAC|MPEG|FLAC|PCM|E?AC3|DTS|TRUEHD|ALAC|TTA1|WAVPACK4|REAL|MS\/ACM)/.test(
      text,
    ) && !/V_[A-Z]{2}/.test(text)
  );
}

/**
 * Detects the Ogg type from the first packet of each stream; these packets come before all other
 * data (RFC 3533 §4). A file with video and sound is a video.
 */
function oggType(head: Buffer): BinaryType {
  const pages = head.toString('latin1', 0, 4096);
  const codec = OGG_CODECS.find(([packet]) => pages.includes(packet));
  return codec ? [codec[1], codec[2]] : ['application/ogg', 'ogx'];
}

/** The first packets of the codecs of Ogg. */
export const OGG_CODECS: readonly [firstPacket: string, mimeType: string, extension: string][] = [
  ['\x80theora', 'video/ogg', 'ogv'],
  ['\x01video\0', 'video/ogg', 'ogm'],
  ['\x01vorbis', 'audio/ogg', 'ogg'],
  ['OpusHead', 'audio/ogg', 'opus'],
  ['\x7fFLAC', 'audio/ogg', 'oga'],
  ['Speex   ', 'audio/ogg', 'spx'],
];
