import { describe, expect, it } from 'vitest';
import { OGG_CODECS } from '../../src/media/binary.ts';
import { COMPOUND_TYPES } from '../../src/media/compound.ts';
import { EXTENSIONS, FAMILY, JSON_TYPES } from '../../src/media/mime-type.ts';
import { DECLARED_EXTENSIONS } from '../../src/media/open-document.ts';
import { sniffFile } from '../../src/media/sniff.ts';
import { ZIP_TYPES } from '../../src/media/zip.ts';
import { makeCompound, makeZip, ogg, SAMPLES } from '../support/sample.ts';

const ZIP = new Map(ZIP_TYPES.map(([type, , ...marks]) => [type, () => makeZip(marks.map(whole))]));
const COMPOUND = new Map(
  COMPOUND_TYPES.map(([type, , mark]) => [type, () => makeCompound(mark ?? '')]),
);

/** Returns the name of an entry that begins like that. */
function whole(mark: string): string {
  return mark.endsWith('/') ? `${mark}a.bin` : mark.replace('*', 'An island');
}

/** Returns a file whose content proves the type, or else one of a family that has it. */
function sampleOf(type: string): Buffer {
  const own = SAMPLES[type] ?? ZIP.get(type) ?? COMPOUND.get(type);
  if (own !== undefined) return own();
  const families = Object.entries(FAMILY);
  const [parent] = families.find(([, members]) => Object.values(members).includes(type)) ?? [];
  if (parent === undefined) throw new Error(`No file has the type ${type}.`);
  return sampleOf(parent);
}

function sniff(content: Buffer, extension: string) {
  return sniffFile(content, { filename: `a.${extension}` });
}

// Every entry of every table is one that a file can have.

const FAMILIES = Object.entries(FAMILY).flatMap(([proved, members]) =>
  Object.entries(members).map(([extension, mimeType]) => [proved, extension, mimeType] as const),
);

it.each(FAMILIES)('content of %s named .%s is %s', async (proved, extension, mimeType) => {
  expect(await sniff(sampleOf(proved), extension)).toMatchObject({ mimeType, extension });
});

const OWN = Object.entries(EXTENSIONS).flatMap(([type, extensions]) =>
  extensions.split(' ').map((extension) => [type, extension] as const),
);

it.each(OWN)('%s may be named .%s', async (mimeType, extension) => {
  expect(await sniff(sampleOf(mimeType), extension)).toMatchObject({ mimeType, extension });
});

it.each(ZIP_TYPES)('an archive is %s, named .%s', async (mimeType, extension, ...marks) => {
  const found = await sniff(makeZip(marks.map(whole).reverse()), extension);
  expect(found).toMatchObject({ mimeType, extension });
});

it.each(Object.entries(DECLARED_EXTENSIONS))(
  'an archive that declares %s is named .%s',
  async (type, extension) => {
    const declaration: [string, string] = ['mimetype', type];
    for (const names of [
      [declaration, 'content.xml'],
      ['a/content.xml', declaration],
    ]) {
      expect(await sniff(makeZip(names), 'bin')).toMatchObject({ mimeType: type, extension });
    }
  },
);

it.each(COMPOUND_TYPES.map(([type, extension, mark = '']) => [type, extension, mark] as const))(
  'a compound file is %s, named .%s',
  async (mimeType, extension, mark) => {
    const found = await sniff(makeCompound(mark), extension);
    expect(found).toMatchObject({ mimeType, extension });
  },
);

it.each(OGG_CODECS)(
  'an Ogg file that begins with %j is %s',
  async (packet, mimeType, extension) => {
    expect(await sniff(ogg(packet), 'bin')).toMatchObject({ mimeType, extension });
  },
);

it.each(Object.entries(JSON_TYPES))('JSON named .%s is %s', async (extension, mimeType) => {
  const found = await sniff(sampleOf('application/json'), extension);
  expect(found).toMatchObject({ mimeType, extension });
});

describe('a sample', () => {
  it.each(Object.keys(SAMPLES))('is %s whatever its name', async (type) => {
    const named = type === 'application/json' ? 'json' : 'bin';
    expect((await sniff(sampleOf(type), named)).mimeType).toBe(type);
  });
});
