import { describe, expect, it } from 'vitest';
import type { Context } from '../../../src/domain/context.ts';
import {
  type DomainError,
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
  it.each([
    ['png', 'image', 'image'],
    ['png', 'eimage', 'eimage'],
    ['png', 'file', 'file'],
    ['png', 'doc', UnsupportedMediaError],
    ['png', 'vector', UnsupportedMediaError],
    ['png', 'video', UnsupportedMediaError],
    ['svg', 'image', UnsupportedMediaError],
    ['svg', 'vector', 'vector'],
    ['pdf', 'doc', 'doc'],
    ['pdf', 'image', UnsupportedMediaError],
    ['csv', 'doc', UnsupportedMediaError],
    ['html', 'image', UnsupportedMediaError],
    ['html', 'file', 'file'],
    ['mp3', 'video', UnsupportedMediaError],
    ['mp4', 'video', 'video'],
    ['unknown', 'image', UnsupportedMediaError],
    ['png', 'url', InvalidInputError],
    ['png', 'vimeo', InvalidInputError],
    ['png', 'embed', InvalidInputError],
    ['png', 'share', InvalidInputError],
  ] satisfies [Content, MediaType, Outcome][])('%s as %s', (content, wanted, outcome) => {
    expect(decide({ content, wanted })).toBe(outcome);
  });
});

describe('name and content', () => {
  it.each([
    ['png', 'a.png', true],
    ['png', 'a.PNG', true],
    // The extension of another image format is accepted.
    ['png', 'a.jpg', true],
    ['png', 'a', true],
    ['png', '', true],
    ['png', 'a.unknown', true],
    ['png', 'a.pdf', false],
    ['png', 'a.svg', false],
    ['png', 'a.mp4', false],
    ['html', 'a.png', false],
    ['html', 'a.svg', false],
    ['html', 'a.pdf', false],
    ['html', 'a.html', true],
    ['html', 'a.png.html', true],
    ['svg', 'a.svg', true],
    ['svg', 'a.png', false],
    ['pdf', 'a.pdf', true],
    ['pdf', 'a.jpg', false],
    ['zip', 'a.jpg', false],
    ['zip', 'a.docx', true],
    ['mp3', 'a.mp4', true],
    ['mp4', 'a.ogg', true],
    ['mp3', 'a.png', false],
    ['unknown', 'a.mov', false],
    ['unknown', 'a.bin', true],
  ] satisfies [Content, string, boolean][])('%s called "%s": %s', (content, filename, agrees) => {
    const outcome = decide({ content, claim: { filename }, wanted: 'file' });
    expect(outcome).toBe(agrees ? 'file' : UnsupportedMediaError);
  });
});

describe('declared type and content', () => {
  it.each([
    ['png', 'image/png', true],
    ['png', 'IMAGE/PNG; charset=binary', true],
    ['png', 'image/jpeg', true],
    ['png', 'application/octet-stream', true],
    ['png', '', true],
    ['png', null, true],
    ['png', 'image/svg+xml', false],
    ['png', 'application/pdf', false],
    ['png', 'video/mp4', false],
    ['html', 'image/png', false],
    ['svg', 'image/png', false],
    ['svg', 'image/svg+xml', true],
    ['pdf', 'image/png', false],
    ['mp3', 'video/mp4', true],
    ['csv', 'text/html', true],
    ['unknown', 'image/png', false],
  ] satisfies [Content, string | null, boolean][])(
    '%s declared %s: %s',
    (content, type, agrees) => {
      const outcome = decide({ content, claim: { declaredType: type }, wanted: 'file' });
      expect(outcome).toBe(agrees ? 'file' : UnsupportedMediaError);
    },
  );
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

type Outcome = FileType | (new (...args: never[]) => DomainError);

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
