import { describe, expect, it } from 'vitest';
import type { Context } from '../../../src/domain/context.ts';
import {
  InvalidInputError,
  TooLargeError,
  UnsupportedMediaError,
} from '../../../src/domain/error.ts';
import type { MediaType } from '../../../src/domain/tree/media.ts';
import {
  checkContent,
  chooseType,
  type FileType,
  type Policy,
} from '../../../src/domain/upload/policy.ts';
import { sizeLimit } from '../../../src/domain/upload/size-limit.ts';
import type { Sniffed } from '../../../src/media/sniff.ts';

const ODT = 'application/vnd.oasis.opendocument.text';

const CONTENTS = {
  png: { mimeType: 'image/png', extension: 'png', kind: 'image' },
  bmp: { mimeType: 'image/bmp', extension: 'bmp', kind: 'other' },
  svg: { mimeType: 'image/svg+xml', extension: 'svg', kind: 'vector' },
  mp4: { mimeType: 'video/mp4', extension: 'mp4', kind: 'video' },
  mp3: { mimeType: 'audio/mpeg', extension: 'mp3', kind: 'audio' },
  pdf: { mimeType: 'application/pdf', extension: 'pdf', kind: 'pdf' },
  odt: { mimeType: ODT, extension: 'odt', kind: 'document' },
  csv: { mimeType: 'text/csv', extension: 'csv', kind: 'document' },
  html: { mimeType: 'text/html', extension: 'html', kind: 'other' },
  script: { mimeType: 'text/plain', extension: 'txt', kind: 'document', isScript: true },
  program: { mimeType: 'application/x-msdownload', extension: 'exe', kind: 'other' },
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
    ['bmp', 'file'],
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

  it('content that fits neither may have another type of the dialect', () => {
    const asImage = { wanted: 'image', others: ['file'] } as const;
    expect(decide({ content: 'unknown', ...asImage })).toBe('file');
    expect(decide({ content: 'png', isDamaged: true, ...asImage })).toBe('file');
    expect(decide({ content: 'png', ...asImage })).toBe('image');
    expect(decide({ content: 'pdf', ...asImage })).toBe(UnsupportedMediaError);
  });

  it('a damaged image is a file, and no image', () => {
    const content = { content: 'png', isDamaged: true } as const;
    expect(decide(content)).toBe('file');
    expect(decide({ ...content, wanted: 'file' })).toBe('file');
    expect(decide({ ...content, wanted: 'image' })).toBe(UnsupportedMediaError);
    expect(decide({ ...content, wanted: 'eimage' })).toBe(UnsupportedMediaError);
  });

  it.each(['url', 'vimeo', 'embed', 'share'] as const)('png as %s is invalid', (wanted) => {
    expect(decide({ content: 'png', wanted })).toBe(InvalidInputError);
  });
});

const NAMES: Claims<string> = {
  png: {
    fits: ['a.png', 'a.PNG', 'a.jpg', 'a', '', 'a.unknown', 'a.pdf', 'a.mp4', 'a.docx', 'a.txt'],
    differs: ['a.svg', 'a.html', 'a.exe', 'a.php', 'a.JS'],
  },
  bmp: { fits: ['a.bmp', 'a.png'], differs: ['a.html'] },
  svg: { fits: ['a.svg', 'a.html', 'a.txt', 'a.xml'], differs: ['a.png', 'a.pdf', 'a.docx'] },
  mp4: { fits: ['a.ogg', 'a.png'], differs: ['a.html'] },
  mp3: { fits: ['a.mp4', 'a.png'], differs: ['a.exe'] },
  pdf: { fits: ['a.pdf', 'a.jpg', 'a.ai'], differs: ['a.html', 'a.exe'] },
  odt: { fits: ['a.zip', 'a.pdf'], differs: ['a.js'] },
  csv: { fits: ['a.js', 'a.png', 'a.html'], differs: [] },
  html: {
    fits: ['a.html', 'a.png.html', 'a.php', 'a.bin', 'a'],
    differs: ['a.png', 'a.svg', 'a.pdf', 'a.xls'],
  },
  script: { fits: ['a.sh', 'a.txt', 'a.md', 'a.html'], differs: ['a.png', 'a.svg', 'a.pdf'] },
  program: { fits: ['a.exe', 'a.sh', 'a.bin'], differs: ['a.png', 'a.pdf', 'a.txt', 'a.svg'] },
  zip: { fits: ['a.docx', 'a.jpg', 'a.jar'], differs: [] },
  unknown: { fits: ['a.bin', 'a.mov', 'a.png', 'a.html'], differs: [] },
};

const DECLARED_TYPES: Claims<string | null> = {
  png: {
    fits: [
      ...['image/png', 'IMAGE/PNG; charset=binary', 'image/jpeg', 'application/octet-stream'],
      ...['', null, 'application/pdf', 'video/mp4', 'text/plain'],
    ],
    differs: ['image/svg+xml', 'text/html', 'TEXT/HTML; charset=utf-8', 'application/javascript'],
  },
  svg: { fits: ['image/svg+xml', 'text/html'], differs: ['image/png'] },
  mp3: { fits: ['video/mp4'], differs: ['application/x-msdownload'] },
  pdf: { fits: ['image/png'], differs: ['text/html'] },
  csv: { fits: ['text/html', 'image/png', 'video/mp2t'], differs: [] },
  html: { fits: ['text/plain', 'video/mp2t'], differs: ['image/png', 'application/msword'] },
  script: { fits: ['video/mp2t', 'application/x-sh'], differs: ['image/png'] },
  program: { fits: ['text/plain'], differs: ['image/png', 'application/pdf'] },
  unknown: { fits: ['image/png'], differs: [] },
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
    expect(sizeLimit(SETTINGS, CONTENTS[content]).bytes).toBe(limitBytes);
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
  isDamaged?: boolean;
  claim?: { filename?: string; declaredType?: string | null; sizeBytes?: number };
  wanted?: MediaType;
  allowed?: readonly FileType[];
  others?: readonly FileType[];
}

/** The resulting type, or the class of the error. */
function decide({ content, isDamaged, claim, wanted, allowed, others }: Question): unknown {
  const ctx = { settings: SETTINGS } as Context;
  const whole = { filename: '', declaredType: null, sizeBytes: 1, ...claim };
  const policy: Policy = {
    type: wanted ?? null,
    ...(allowed && { allowedTypes: allowed }),
    ...(others && { otherTypes: others }),
  };
  try {
    checkContent(ctx, whole, CONTENTS[content]);
    return chooseType(ctx, CONTENTS[content], isDamaged ? 'It is damaged.' : null, policy);
  } catch (error) {
    return (error as Error).constructor;
  }
}
