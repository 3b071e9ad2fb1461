import type { OpenSource } from './source.ts';

/** A MIME type, its usual extension, and the name of a stream or storage that proves them. */
type CompoundType = readonly [mimeType: string, extension: string, mark?: string];

const SIGNATURE = Buffer.from('d0cf11e0a1b11ae1', 'hex');
const UNKNOWN: CompoundType = ['application/x-cfb', 'cfb'];
/** An entry of the directory: 64 bytes of name in UTF-16, and from byte 80 the class of the root storage. */
const ENTRY_BYTES = 128;
const DIRECTORY_BYTES_MAX = 4096;

/** Returns whether the beginning of a file is that of a compound file: [MS-CFB] §2.2. */
export function isCompound(head: Buffer): boolean {
  return head.subarray(0, SIGNATURE.length).equals(SIGNATURE);
}

/**
 * Returns the type of a compound file, detected from the first names in its directory. Word, Excel, Visio, Publisher,
 * Outlook, Installer and Hangul files are compound files, and so is an Office file with a password.
 */
export async function compoundType(source: OpenSource, head: Buffer): Promise<CompoundType> {
  if (head.length < 512) return UNKNOWN;
  // [MS-CFB] §2.2 and §2.6.1: the size of sectors as a power of two, and the first sector of the directory.
  const sectorShift = head.readUInt16LE(30);
  if (sectorShift !== 9 && sectorShift !== 12) return UNKNOWN;
  const position = (head.readUInt32LE(48) + 1) * 2 ** sectorShift;
  const length = Math.min(2 ** sectorShift * 4, DIRECTORY_BYTES_MAX);
  const memory = Buffer.alloc(length);
  const directory = memory.subarray(0, await source.read(memory, length, position));
  const root = directory.subarray(80, 96).toString('hex');
  if (root === INSTALLER_CLASS) return ['application/x-msi', 'msi'];
  const names = new Set<string>();
  for (let at = 0; at + ENTRY_BYTES <= directory.length; at += ENTRY_BYTES) {
    const nameBytes = Math.max(0, Math.min(64, directory.readUInt16LE(at + 64)) - 2);
    names.add(directory.toString('utf16le', at, at + nameBytes));
  }
  return COMPOUND_TYPES.find(([, , mark]) => names.has(mark ?? '')) ?? UNKNOWN;
}

/** `{000C1084-0000-0000-C000-000000000046}`, as it is stored. */
const INSTALLER_CLASS = '84100c0000000000c000000000000046';

/** The types of compound files; the first matching row applies. */
export const COMPOUND_TYPES: readonly CompoundType[] = [
  // Encrypted: only the filename tells which Office program has written it.
  ['application/x-ole-encrypted', 'cfb', 'EncryptedPackage'],
  ['application/msword', 'doc', 'WordDocument'],
  ['application/vnd.ms-excel', 'xls', 'Workbook'],
  ['application/vnd.ms-excel', 'xls', 'Book'],
  ['application/vnd.ms-powerpoint', 'ppt', 'PowerPoint Document'],
  ['application/vnd.ms-outlook', 'msg', '__nameid_version1.0'],
  ['application/vnd.visio', 'vsd', 'VisioDocument'],
  ['application/x-mspublisher', 'pub', 'Quill'],
  ['application/x-hwp', 'hwp', 'HwpSummaryInformation'],
  ['application/x-hwp', 'hwp', '\x05HwpSummaryInformation'],
  ['application/vnd.ms-project', 'mpp', 'Props14'],
  ['application/vnd.ms-project', 'mpp', 'Props12'],
  ['application/vnd.ms-project', 'mpp', 'Props9'],
  ['application/vnd.ms-project', 'mpp', 'Props'],
];
