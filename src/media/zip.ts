import { createFileWindow } from './file-window.ts';
import { DECLARED_EXTENSIONS } from './open-document.ts';
import type { OpenSource } from './source.ts';

/** A MIME type, its usual extension, and the entry names that prove it (see `ZIP_TYPES`). */
export type ZipType = readonly [mimeType: string, extension: string, ...rest: string[]];

/**
 * Returns the type of a ZIP archive, detected from the entry names in its central directory.
 * Programs that open the archive use the same list, so the order of the entries does not matter
 * (LibreOffice writes `[Content_Types].xml` last). Nothing is unpacked, so a ZIP bomb costs no more
 * than any archive: at most 1.2 MiB are read, 64 KiB at a time.
 *
 * `head` is the beginning of the file: at least its first 1 KiB, or all of a shorter file.
 */
export async function zipType(source: OpenSource, head: Buffer): Promise<ZipType> {
  const declared = declaredType(head);
  if (declared !== null) return declared;
  const directory = await findDirectory(source);
  if (directory === null) return ZIP;
  const seen = new Set<string>();
  for await (const { name, offset } of entries(source, directory)) {
    const isFirst = !seen.has(name);
    for (const mark of MARKS) if (hasMark(name, mark)) seen.add(mark);
    // One read for the first such entry: a hostile archive has many.
    if (name !== 'mimetype' || !isFirst) continue;
    const later = await declaredTypeAt(source, offset);
    if (later !== null) return later;
  }
  return ZIP_TYPES.find(([, , ...marks]) => marks.every((mark) => seen.has(mark))) ?? ZIP;
}

function hasMark(name: string, mark: string): boolean {
  if (!mark.startsWith('*')) return name.startsWith(mark);
  return name.toLowerCase().endsWith(mark.slice(1)) && !name.includes('/');
}

const OOXML = 'application/vnd.openxmlformats-officedocument.';
const PARTS = '[Content_Types].xml';

/**
 * MIME type, extension, and prefixes that the entry names of such an archive must include; `*.kml` is any name in the
 * root that ends like that. The first matching row applies.
 */
export const ZIP_TYPES: readonly ZipType[] = [
  ['application/vnd.ms-word.document.macroenabled.12', 'docm', PARTS, 'word/vbaProject.bin'],
  ['application/vnd.ms-excel.sheet.macroenabled.12', 'xlsm', PARTS, 'xl/vbaProject.bin'],
  [
    'application/vnd.ms-powerpoint.presentation.macroenabled.12',
    'pptm',
    PARTS,
    'ppt/vbaProject.bin',
  ],
  ['application/vnd.ms-excel.sheet.binary.macroenabled.12', 'xlsb', PARTS, 'xl/workbook.bin'],
  [`${OOXML}wordprocessingml.document`, 'docx', PARTS, 'word/'],
  [`${OOXML}spreadsheetml.sheet`, 'xlsx', PARTS, 'xl/'],
  [`${OOXML}presentationml.presentation`, 'pptx', PARTS, 'ppt/'],
  ['application/vnd.ms-visio.drawing', 'vsdx', PARTS, 'visio/'],
  ['application/vnd.ms-xpsdocument', 'xps', PARTS, 'FixedDoc'],
  ['model/3mf', '3mf', PARTS, '3D/'],
  // Declares its type in an entry that is packed.
  ['application/vnd.oasis.opendocument.text', 'odt', 'META-INF/manifest.xml', 'content.xml'],
  ['application/epub+zip', 'epub', 'META-INF/container.xml', 'mimetype'],
  ['application/vnd.apple.keynote', 'key', 'Index/Slide'],
  ['application/vnd.apple.keynote', 'key', 'index.apxl'],
  ['application/vnd.apple.pages', 'pages', 'Index/Document.iwa'],
  ['application/vnd.apple.pages', 'pages', 'index.xml', 'QuickLook/'],
  ['application/vnd.google-earth.kmz', 'kmz', 'doc.kml'],
  ['application/vnd.adobe.indesign-idml-package', 'idml', 'designmap.xml'],
  ['application/vnd.android.package-archive', 'apk', 'AndroidManifest.xml'],
  ['application/x-xpinstall', 'xpi', 'META-INF/mozilla.rsa'],
  ['application/x-ios-app', 'ipa', 'Payload/', 'iTunesMetadata.plist'],
  ['application/x-ios-app', 'ipa', 'Payload/', 'META-INF/com.apple.'],
  ['image/openraster', 'ora', 'stack.xml', 'mergedimage.png'],
  ['application/x-krita', 'kra', 'maindoc.xml', 'documentinfo.xml'],
  ['application/vnd.recordare.musicxml', 'mxl', 'META-INF/container.xml', '*.musicxml'],
  ['application/vnd.recordare.musicxml', 'mxl', 'META-INF/container.xml', '*.xml'],
  ['application/java-archive', 'jar', 'META-INF/MANIFEST.MF'],
  ['model/vnd.usdz+zip', 'usdz', '*.usdc'],
  ['model/vnd.usdz+zip', 'usdz', '*.usda'],
  ['model/vnd.usdz+zip', 'usdz', '*.usd'],
  ['application/vnd.google-earth.kmz', 'kmz', '*.kml'],
];
const MARKS = new Set(ZIP_TYPES.flatMap(([, , ...marks]) => marks));

const ZIP: ZipType = ['application/zip', 'zip'];
/** Reads of 64 KiB: enough for a directory of some ten thousand entries. */
const WINDOW_MOVES_MAX = 16;
const EOCD_BYTES = 22;
const ENTRY_BYTES = 46;
const ENTRY_SIGNATURE = 0x02014b50;
/** Longer entry names are truncated: names in the root have ends to look for, and file systems allow 255 bytes. */
const NAME_BYTES_MAX = 255;

/**
 * Returns the type that an OpenDocument, EPUB or similar file declares, uncompressed, in its first entry
 * (OpenDocument 1.3 part 2 §3.3; EPUB OCF 3.3 §4.3); `null` for other archives.
 */
function declaredType(head: Buffer): ZipType | null {
  if (head.toString('latin1', 30, 38) !== 'mimetype') return null;
  const start = 38 + head.readUInt16LE(28);
  // The next entry follows at once, with `PK`.
  const text = head.toString('latin1', start, start + 80);
  const [type = ''] = /^(?:application|image)\/[a-z+.-]+/.exec(text) ?? [];
  if (!Object.hasOwn(DECLARED_EXTENSIONS, type)) return null;
  return [type, DECLARED_EXTENSIONS[type] ?? 'zip'];
}

/** Returns the type that an entry declares which some programs write after others. */
async function declaredTypeAt(source: OpenSource, offset: number): Promise<ZipType | null> {
  const memory = Buffer.alloc(256);
  const bytesRead = await source.read(memory, memory.length, offset);
  return bytesRead < 38 ? null : declaredType(memory.subarray(0, bytesRead));
}

/** The place of a central directory. */
interface Directory {
  offset: number;
  end: number;
}

/**
 * Finds the central directory through the record at the end of the file, which at most 65,535 bytes
 * of comment follow (APPNOTE 4.3.16). A ZIP64 is reported as plain ZIP.
 */
export async function findDirectory(source: OpenSource): Promise<Directory | null> {
  const { sizeBytes } = source;
  const start = Math.max(0, sizeBytes - EOCD_BYTES - 0xffff);
  const memory = Buffer.alloc(sizeBytes - start);
  const tail = memory.subarray(0, await source.read(memory, memory.length, start));
  const at = tail.lastIndexOf('PK\x05\x06', tail.length - EOCD_BYTES, 'latin1');
  if (at === -1 || at + EOCD_BYTES > tail.length) return null;
  const offset = tail.readUInt32LE(at + 16);
  return { offset, end: Math.min(start + at, offset + tail.readUInt32LE(at + 12)) };
}

/** An entry of the directory: its name, truncated to `NAME_BYTES_MAX`, and the place of its content. */
interface Entry {
  name: string;
  offset: number;
}

/** Yields the entries; stops at the first invalid one. */
async function* entries(source: OpenSource, { offset, end }: Directory): AsyncGenerator<Entry> {
  const window = createFileWindow(source, WINDOW_MOVES_MAX);
  for (let at = offset; at + ENTRY_BYTES <= end; ) {
    const entry = await window.at(at, ENTRY_BYTES + NAME_BYTES_MAX);
    if (entry.length < ENTRY_BYTES || entry.readUInt32LE(0) !== ENTRY_SIGNATURE) return;
    const nameLength = entry.readUInt16LE(28);
    const nameEnd = ENTRY_BYTES + Math.min(nameLength, NAME_BYTES_MAX);
    yield { name: entry.toString('latin1', ENTRY_BYTES, nameEnd), offset: entry.readUInt32LE(42) };
    at += ENTRY_BYTES + nameLength + entry.readUInt16LE(30) + entry.readUInt16LE(32);
  }
}
