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

const WANTED: Claims<MediaType> = {
  png: { fits: ['image', 'eimage', 'file'], differs: ['doc', 'vector', 'video'] },
  svg: { fits: ['vector'], differs: ['image'] },
  mp4: { fits: ['video'], differs: [] },
  mp3: { fits: [], differs: ['video'] },
  pdf: { fits: ['doc'], differs: ['image'] },
  csv: { fits: [], differs: ['doc'] },
  html: { fits: ['file'], differs: ['image'] },
  unknown: { fits: [], differs: ['image'] },
};

describe('with a wanted type', () => {
  it.each(claims(WANTED))('$content as $value: $agrees', ({ content, value, agrees }) => {
    expect(decide({ content, wanted: value })).toBe(agrees ? value : UnsupportedMediaError);
  });

  it.each(['url', 'vimeo', 'embed', 'share'] as const)('png as %s is invalid', (wanted) => {
    expect(decide({ content: 'png', wanted })).toBe(InvalidInputError);
  });
});

const NAMES: Claims<string> = {
  // The extension of another image format is accepted.
  png: {
    fits: ['a.png', 'a.PNG', 'a.jpg', 'a', '', 'a.unknown'],
    differs: ['a.pdf', 'a.svg', 'a.mp4'],
  },
  svg: { fits: ['a.svg'], differs: ['a.png'] },
  mp4: { fits: ['a.ogg'], differs: [] },
  mp3: { fits: ['a.mp4'], differs: ['a.png'] },
  pdf: { fits: ['a.pdf'], differs: ['a.jpg'] },
  html: { fits: ['a.html', 'a.png.html'], differs: ['a.png', 'a.svg', 'a.pdf'] },
  zip: { fits: ['a.docx'], differs: ['a.jpg'] },
  unknown: { fits: ['a.bin'], differs: ['a.mov'] },
};

const DECLARED_TYPES: Claims<string | null> = {
  png: {
    fits: [
      ...['image/png', 'IMAGE/PNG; charset=binary', 'image/jpeg', 'application/octet-stream'],
      ...['', null],
    ],
    differs: ['image/svg+xml', 'application/pdf', 'video/mp4'],
  },
  svg: { fits: ['image/svg+xml'], differs: ['image/png'] },
  mp3: { fits: ['video/mp4'], differs: [] },
  pdf: { fits: [], differs: ['image/png'] },
  csv: { fits: ['text/html'], differs: [] },
  html: { fits: [], differs: ['image/png'] },
  unknown: { fits: [], differs: ['image/png'] },
};

describe('name and content', () => {
  it.each(claims(NAMES))('$content called "$value": $agrees', ({ content, value, agrees }) => {
    const outcome = decide({ content, claim: { filename: value }, wanted: 'file' });
    expect(outcome).toBe(agrees ? 'file' : UnsupportedMediaError);
  });
});

describe('declared type and content', () => {
  it.each(claims(DECLARED_TYPES))(
    '$content declared $value: $agrees',
    ({ content, value, agrees }) => {
      const outcome = decide({ content, claim: { declaredType: value }, wanted: 'file' });
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

/** What agrees with each content, and what does not. */
type Claims<T> = Partial<Record<Content, { fits: T[]; differs: T[] }>>;

/** Returns each content with each claim about it, as rows of a table. */
function claims<T>(table: Claims<T>) {
  return Object.entries(table).flatMap(([key, { fits, differs }]) => {
    const content = key as Content;
    return [
      ...fits.map((value) => ({ content, value, agrees: true })),
      ...differs.map((value) => ({ content, value, agrees: false })),
    ];
  });
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
