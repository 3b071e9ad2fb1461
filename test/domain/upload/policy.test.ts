import { describe, expect, it } from 'vitest';
import type { Context } from '../../../src/domain/context.ts';
import {
  InvalidInputError,
  TooLargeError,
  UnsupportedMediaError,
} from '../../../src/domain/error.ts';
import type { MediaType } from '../../../src/domain/tree/media.ts';
import { classify, type FileType, sizeLimitBytes } from '../../../src/domain/upload/policy.ts';
import type { Sniffed } from '../../../src/media/sniff.ts';

const ODT = 'application/vnd.oasis.opendocument.text';

const CONTENTS = {
  png: { mimeType: 'image/png', extension: 'png', kind: 'image' },
  svg: { mimeType: 'image/svg+xml', extension: 'svg', kind: 'vector' },
  mp4: { mimeType: 'video/mp4', extension: 'mp4', kind: 'video' },
  mp3: { mimeType: 'audio/mpeg', extension: 'mp3', kind: 'audio' },
  pdf: { mimeType: 'application/pdf', extension: 'pdf', kind: 'pdf' },
  odt: { mimeType: ODT, extension: 'odt', kind: 'document' },
  csv: { mimeType: 'text/csv', extension: 'csv', kind: 'document' },
  html: { mimeType: 'text/html', extension: 'html', kind: 'other' },
  zip: { mimeType: 'application/zip', extension: 'zip', kind: 'other' },
  unknown: { mimeType: 'application/octet-stream', extension: null, kind: 'other' },
} satisfies Record<string, Sniffed>;
type Content = keyof typeof CONTENTS;

const SETTINGS = {
  imageBytesMax: 10,
  documentBytesMax: 20,
  fileBytesMax: 30,
  documentTypes: ['application/pdf', ODT],
} as unknown as Context['settings'];

describe('without a wanted type', () => {
  it.each([
    ['png', 'image'],
    ['svg', 'vector'],
    ['mp4', 'video'],
    ['mp3', 'audio'],
    ['pdf', 'doc'],
    ['odt', 'doc'],
    ['csv', 'file'],
    ['html', 'file'],
    ['zip', 'file'],
    ['unknown', 'file'],
  ] satisfies [Content, FileType][])('content that is %s makes it %s', (content, type) => {
    expect(decide({ content })).toBe(type);
  });
});

describe('with a wanted type', () => {
  it.each(
    pairs<MediaType>({
      png: ['image', 'eimage', 'file'],
      svg: ['vector'],
      mp4: ['video'],
      pdf: ['doc'],
      html: ['file'],
    }),
  )('%s as %s is accepted', (content, wanted) => {
    expect(decide({ content, wanted })).toBe(wanted);
  });

  it.each(
    pairs<MediaType>({
      png: ['doc', 'vector', 'video'],
      svg: ['image'],
      mp3: ['video'],
      pdf: ['image'],
      csv: ['doc'],
      html: ['image'],
      unknown: ['image'],
    }),
  )('%s as %s is not supported', (content, wanted) => {
    expect(decide({ content, wanted })).toBe(UnsupportedMediaError);
  });

  it.each(['url', 'vimeo', 'embed', 'share'] as const)('png as %s is invalid', (wanted) => {
    expect(decide({ content: 'png', wanted })).toBe(InvalidInputError);
  });
});

describe('name and content', () => {
  it.each(
    pairs({
      // The extension of another image format is accepted.
      png: ['a.png', 'a.PNG', 'a.jpg', 'a', '', 'a.unknown'],
      svg: ['a.svg'],
      mp4: ['a.ogg'],
      mp3: ['a.mp4'],
      pdf: ['a.pdf'],
      html: ['a.html', 'a.png.html'],
      zip: ['a.docx'],
      unknown: ['a.bin'],
    }),
  )('%s may be called "%s"', (content, filename) => {
    expect(decide({ content, claim: { filename }, wanted: 'file' })).toBe('file');
  });

  it.each(
    pairs({
      png: ['a.pdf', 'a.svg', 'a.mp4'],
      svg: ['a.png'],
      mp3: ['a.png'],
      pdf: ['a.jpg'],
      html: ['a.png', 'a.svg', 'a.pdf'],
      zip: ['a.jpg'],
      unknown: ['a.mov'],
    }),
  )('%s may not be called "%s"', (content, filename) => {
    expect(decide({ content, claim: { filename }, wanted: 'file' })).toBe(UnsupportedMediaError);
  });
});

describe('declared type and content', () => {
  it.each(
    pairs({
      png: [
        ...['image/png', 'IMAGE/PNG; charset=binary', 'image/jpeg', 'application/octet-stream'],
        ...['', null],
      ],
      svg: ['image/svg+xml'],
      mp3: ['video/mp4'],
      csv: ['text/html'],
    }),
  )('%s may be declared %s', (content, declaredType) => {
    expect(decide({ content, claim: { declaredType }, wanted: 'file' })).toBe('file');
  });

  it.each(
    pairs({
      png: ['image/svg+xml', 'application/pdf', 'video/mp4'],
      svg: ['image/png'],
      pdf: ['image/png'],
      html: ['image/png'],
      unknown: ['image/png'],
    }),
  )('%s may not be declared %s', (content, declaredType) => {
    const outcome = decide({ content, claim: { declaredType }, wanted: 'file' });
    expect(outcome).toBe(UnsupportedMediaError);
  });
});

describe('sizes', () => {
  it.each([
    ['png', 10],
    ['pdf', 20],
    ['odt', 20],
    ['svg', 30],
    ['mp4', 30],
    ['csv', 30],
    ['unknown', 30],
  ] satisfies [Content, number][])('of %s: at most %i bytes', (content, limitBytes) => {
    expect(sizeLimitBytes(SETTINGS, CONTENTS[content])).toBe(limitBytes);
    expect(decide({ content, claim: { sizeBytes: limitBytes } })).not.toBe(TooLargeError);
    expect(decide({ content, claim: { sizeBytes: limitBytes + 1 } })).toBe(TooLargeError);
  });

  it('the limit for images applies to an image of any wanted type', () => {
    const claim = { sizeBytes: 11 };
    expect(decide({ content: 'png', claim, wanted: 'file' })).toBe(TooLargeError);
  });
});

describe('the types that a dialect supports', () => {
  it('content of another type is rejected', () => {
    expect(decide({ content: 'mp4', allowed: ['image', 'doc'] })).toBe(UnsupportedMediaError);
    expect(decide({ content: 'png', allowed: ['image', 'doc'] })).toBe('image');
  });

  it('another wanted type is rejected', () => {
    const asked = { content: 'png', wanted: 'file', allowed: ['image'] } as const;
    expect(decide(asked)).toBe(UnsupportedMediaError);
  });
});

/** Returns each content with each of its values, as rows of a table. */
function pairs<T>(table: Partial<Record<Content, T[]>>): [Content, T][] {
  const groups = Object.entries(table) as [Content, T[]][];
  return groups.flatMap(([content, values]) =>
    values.map((value): [Content, T] => [content, value]),
  );
}

interface Question {
  content: Content;
  claim?: { filename?: string; declaredType?: string | null; sizeBytes?: number };
  wanted?: MediaType;
  allowed?: readonly FileType[];
}

/** The resulting type, or the class of the error. */
function decide({ content, claim, wanted, allowed }: Question): unknown {
  const ctx = { settings: SETTINGS } as Context;
  const whole = { filename: '', declaredType: null, sizeBytes: 1, ...claim };
  try {
    return classify(ctx, whole, CONTENTS[content], wanted ?? null, allowed);
  } catch (error) {
    return (error as Error).constructor;
  }
}
