import { crc32, gzipSync } from 'node:zlib';
import { fixtureBytes } from './bytes.ts';

/** Returns a small file of each type that content proves, by MIME type. */
export const SAMPLES: Readonly<Record<string, () => Buffer>> = {
  'image/jpeg': () => fixtureBytes('photo-with-exif-rotation.jpg'),
  'image/png': () => fixtureBytes('picture.png'),
  'image/tiff': () => hex('49492a0008000000000000000000'),
  'image/bmp': () => hex('424d3a000000000000003600000028000000010000000100000001001800'),
  'image/x-portable-bitmap': () => binary('P4\n8 1\n\0'),
  'image/x-portable-graymap': () => binary('P5\n# a\n1 1\n255\n\x01'),
  'image/x-portable-pixmap': () => binary('P6 1 1 255\n\0\0\0'),
  'image/x-portable-arbitrarymap': () => binary('P7\nWIDTH 1\nHEIGHT 1\nENDHDR\n\0'),
  'image/vnd.radiance': () => binary('#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 1\n\0\0\0\0'),
  'image/fits': () => binary(`${'SIMPLE  =                    T'.padEnd(2880)}\0`),
  'image/vnd.ms-dds': () => binary(`DDS \x7c${'\0'.repeat(123)}`),
  'image/qoi': () => binary('qoif\0\0\0\x01\0\0\0\x01\x03\0'),
  'image/x-exr': () => binary('\x76\x2f\x31\x01\x02\0\0\0'),
  'image/wmf': () => binary(`\xd7\xcd\xc6\x9a${'\0'.repeat(36)}`),
  'image/emf': () => binary(`\x01\0\0\0\x6c${'\0'.repeat(35)} EMF\0\0\x01\0`),
  'image/vnd.zbrush.pcx': () => binary(`\x0a\x05\x01\x08${'\0'.repeat(124)}`),
  'image/x-icon': () => hex('00000100010001010000010018003000000016000000'),
  'image/heic': () => fixtureBytes('picture.heic'),
  'image/heif': () => ftyp('mif1', 'mif1'),
  'image/heic-sequence': () => ftyp('hevc', 'msf1', 'hevc'),
  'image/heif-sequence': () => ftyp('msf1', 'msf1'),
  'image/svg+xml': () => fixtureBytes('drawing.svg'),
  'video/mp4': () => fixtureBytes('clip.mp4'),
  'video/quicktime': () => ftyp('qt  ', 'qt  '),
  'video/mpeg': () => hex('000001ba4400040004010000'),
  'video/mp2t': () => Buffer.alloc(4 * 188, Buffer.concat([hex('474000'), Buffer.alloc(185, 255)])),
  'video/ogg': () => ogg('\x80theora'),
  'audio/ogg': () => fixtureBytes('sound.ogg'),
  'audio/webm': () => fixtureBytes('sound.weba'),
  'audio/mp4': () => ftyp('M4A ', 'M4A '),
  'audio/mpeg': () => fixtureBytes('sound.mp3'),
  'audio/aac': () => tagged('\xff\xf1\x50\x80'),
  'audio/flac': () => tagged('fLaC'),
  'audio/aiff': () => binary('FORM\0\0\0\x04AIFFCOMM'),
  'audio/midi': () => binary('MThd\0\0\0\x06\0\0\0\x01\0\x60'),
  'audio/x-ms-wma': () => asf('409e69f84d5bcf11a8fd00805f5c442b'),
  'video/x-ms-wmv': () => asf('c0ef19bc4d5bcf11a8fd00805f5c442b'),
  'text/plain': () => fixtureBytes('note.txt'),
  'text/html': () => fixtureBytes('page.html'),
  'application/xml': () => Buffer.from('<?xml version="1.0"?><a/>'),
  'application/json': () => Buffer.from('{"a": 1}'),
  'application/vnd.apple.mpegurl': () => Buffer.from('#EXTM3U\na.ts\n'),
  'application/pdf': () => fixtureBytes('document.pdf'),
  'application/rtf': () => Buffer.from('{\\rtf1 a}'),
  'application/postscript': () => Buffer.from('%!PS-Adobe-3.0\n'),
  'text/vtt': () => Buffer.from('WEBVTT\n\n'),
  'text/vcard': () => Buffer.from('BEGIN:VCARD\nEND:VCARD\n'),
  'text/calendar': () => Buffer.from('BEGIN:VCALENDAR\nEND:VCALENDAR\n'),
  'application/gzip': () => gzipSync('a'),
  'application/zip': () => makeZip(['a.txt']),
  'application/x-cfb': () => makeCompound('Something'),
};

/** Returns a ZIP archive of empty files, and of texts. */
export function makeZip(names: readonly (string | [name: string, text: string])[]): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const entry of names) {
    const [name, text] = typeof entry === 'string' ? [entry, ''] : entry;
    const [title, content] = [Buffer.from(name), Buffer.from(text)];
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt32LE(crc32(content), 10);
    fields.writeUInt32LE(content.length, 14);
    fields.writeUInt32LE(content.length, 18);
    fields.writeUInt16LE(title.length, 22);
    const local = Buffer.concat([binary('PK\x03\x04'), fields, title, content]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(at, 10);
    directory.push(Buffer.concat([binary('PK\x01\x02\x14\0'), fields, place, title]));
    locals.push(local);
    at += local.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(names.length, 8);
  end.writeUInt16LE(names.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, list, end]);
}

/** Returns an Ogg file whose first packet begins with these characters. */
export function ogg(packet: string): Buffer {
  return Buffer.concat([binary('OggS\0\x02'), Buffer.alloc(22), binary(packet)]);
}

function ftyp(brand: string, ...compatible: string[]): Buffer {
  const text = `ftyp${brand}\0\0\0\0${compatible.join('')}`;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(4 + text.length);
  return Buffer.concat([length, binary(text), hex('000000086d646174')]);
}

function tagged(sound: string): Buffer {
  return Buffer.concat([binary('ID3\x04\0\0\0\0\0\x10'), Buffer.alloc(16), binary(sound)]);
}

/** Returns an ASF header with one stream of a type. */
function asf(type: string): Buffer {
  const start = '3026b2758e66cf11a6d900aa0062ce6c'.padEnd(60, '0');
  const stream = `9107dcb7b7a9cf118ee600c00c2053656400000000000000${type}`.padEnd(200, '0');
  return hex(start + stream);
}

function hex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}

function binary(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** Returns a compound file whose directory has the root storage and one more entry. */
export function makeCompound(entry: string, rootClass = ''): Buffer {
  const file = Buffer.alloc(4 * 512);
  Buffer.from('d0cf11e0a1b11ae1', 'hex').copy(file);
  file.writeUInt16LE(9, 30);
  file.writeUInt32LE(1, 48);
  for (const [index, name] of ['Root Entry', entry].entries()) {
    const at = 2 * 512 + index * 128;
    file.write(name, at, 'utf16le');
    file.writeUInt16LE((name.length + 1) * 2, at + 64);
  }
  file.write(rootClass, 2 * 512 + 80, 'hex');
  return file;
}
