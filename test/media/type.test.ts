import { gzipSync } from 'node:zlib';
import { supportedMimeTypes } from 'file-type';
import { describe, expect, it } from 'vitest';
import { describeType } from '../../src/media/mime-type.ts';
import { sniffFile } from '../../src/media/sniff.ts';
import { cpuMsOf } from '../support/cpu-time.ts';
import { makeCompound } from '../support/sample.ts';
import { fixture, withFile } from '../support/temporary-file.ts';

const OOXML = 'application/vnd.openxmlformats-officedocument.';

function sniff(content: string | Buffer, filename?: string) {
  return withFile(content, (path) => sniffFile(path, { filename: filename ?? '' }));
}

describe('every type that file-type detects', () => {
  it.each([...supportedMimeTypes])('%s has a valid type, and keeps its extension', (content) => {
    const { mimeType, extension } = describeType(content, 'usual');
    expect(mimeType).toMatch(/^[a-z]+\/[\w.+-]+$/i);
    expect(extension).toBe('usual');
    // Names of the properties of every object are no extensions.
    expect(describeType(content, 'usual', 'a.constructor')).toEqual(describeType(content, 'usual'));
  });
});

describe('a compound file', () => {
  it.each(
    Object.entries({
      'a.doc': ['WordDocument', 'application/msword'],
      'a.xlt': ['Workbook', 'application/vnd.ms-excel'],
      'a.pps': ['PowerPoint Document', 'application/vnd.ms-powerpoint'],
      'a.vsd': ['VisioDocument', 'application/vnd.visio'],
      'a.pub': ['Quill', 'application/x-mspublisher'],
      'a.mpp': ['Props14', 'application/vnd.ms-project'],
      'a.hwp': ['\x05HwpSummaryInformation', 'application/x-hwp'],
      'a.msg': ['__nameid_version1.0', 'application/vnd.ms-outlook'],
      'a.docx': ['EncryptedPackage', `${OOXML}wordprocessingml.document`],
      'a.xlsx': ['EncryptedPackage', `${OOXML}spreadsheetml.sheet`],
      'a.pptx': ['EncryptedPackage', `${OOXML}presentationml.presentation`],
      'a.cfb': ['Something', 'application/x-cfb'],
    }),
  )('%s is told by an entry of its directory', async (filename, [entry, mimeType]) => {
    const extension = filename.split('.')[1];
    expect(await sniff(makeCompound(entry!), filename)).toMatchObject({ mimeType, extension });
  });

  it('has the type of its content under a name that says nothing', async () => {
    expect((await sniff(makeCompound('VisioDocument'), 'a.bin')).extension).toBe('vsd');
    expect((await sniff(makeCompound('EncryptedPackage'))).mimeType).toBe(
      'application/x-ole-encrypted',
    );
  });

  it('with the class of Windows Installer is an installer', async () => {
    const file = makeCompound('Something', '84100c0000000000c000000000000046');
    expect((await sniff(file, 'a.doc')).mimeType).toBe('application/x-msi');
  });

  it.each([
    ['a sector size that is none', 30, 99],
    ['a directory after its end', 50, 0xff],
  ])('with %s is of no known kind', async (_, at, value) => {
    const file = makeCompound('WordDocument');
    file[at] = value;
    expect((await sniff(file)).mimeType).toBe('application/x-cfb');
  });
});

describe('a PDF', () => {
  const object = '%PDF-1.4\n1 0 obj\n<<>>\nendobj\n';

  it.each([
    ['a new line', '\r\n'],
    ['a byte order mark', '\ufeff'],
    ['text', 'HTTP/1.1 200 OK\r\n\r\n'],
    ['bytes', Buffer.from([0, 1, 2, 0x80, 0xff])],
    ['1,000 bytes', Buffer.alloc(1000, 1)],
  ])('may begin after %s', async (_, before) => {
    const content = Buffer.concat([Buffer.from(before), Buffer.from(object)]);
    expect((await sniff(content, 'a.bin')).mimeType).toBe('application/pdf');
  });

  it.each([
    ['after more than 1,024 bytes', Buffer.concat([Buffer.alloc(1025, 1), Buffer.from(object)])],
    ['a text about its header', 'A file that begins with %PDF-1.4 is a PDF.'],
  ])('is not %s', async (_, content) => {
    expect((await sniff(content, 'a.txt')).mimeType).not.toBe('application/pdf');
  });
});

describe('a header of a PDF within the first 1,024 bytes', () => {
  it.each([
    ['XML', '<?xml version="1.0"?>\n'],
    ['PostScript', '%!PS-Adobe-3.0 PDF-1.4\n'],
    ['other PostScript', '%!PS-Adobe-3.0\n'],
    ['NULs', Buffer.alloc(900)],
    ['text', 'x'.repeat(1000)],
  ])('makes a file of its name a PDF, after %s', async (_, before) => {
    const content = Buffer.concat([Buffer.from(before), Buffer.from('%PDF-1.4\n%%EOF')]);
    expect(await sniff(content, 'a.PDF')).toMatchObject({ mimeType: 'application/pdf' });
  });

  it.each([
    ['<html><script>1</script>%PDF-1.4\n', 'text/html'],
    ['<svg xmlns="http://www.w3.org/2000/svg">%PDF-1.4</svg>', 'image/svg+xml'],
    ['GIF89a\x01\0\x01\0%PDF-1.4', 'image/gif'],
    [`${'x'.repeat(1025)}%PDF-1.4`, 'text/plain'],
  ])('does not hide other content: %j', async (content, mimeType) => {
    expect(await sniff(content, 'a.pdf')).toMatchObject({ mimeType });
  });
});

describe('an image whose header is text', () => {
  it.each([
    ['P1\n# a\n2 2\n01\n10\n', 'image/x-portable-bitmap'],
    ['P2 1 1 255 7', 'image/x-portable-graymap'],
    ['P3\n1 1\n255\n1 2 3\n# end', 'image/x-portable-pixmap'],
    ['P6\n1 1\n255\nabc', 'image/x-portable-pixmap'],
    ['#?RGBE\n\n-Y 1 +X 1\nabcd', 'image/vnd.radiance'],
    ['P1 is the first of 2 3', 'text/plain'],
    ['P3 10 20 metres', 'text/plain'],
    ['DDS files', 'text/plain'],
  ])('is told from text: %j', async (content, mimeType) => {
    expect(await sniff(content, 'a.bin')).toMatchObject({ mimeType });
    expect(await sniff(content, 'a.txt')).toMatchObject({ mimeType: 'text/plain' });
  });

  it('costs linear time', async () => {
    for (const start of ['P1 ', 'P3 1 1 ', 'P3 999999999 999999999 ']) {
      for (const part of ['1', ' ', '#', '# \n', '1 ']) {
        const text = `${start}${part.repeat(70_000)}x`;
        expect(await cpuMsOf(() => sniff(text))).toBeLessThan(250);
      }
    }
  });
});

describe('sound', () => {
  const tag = Buffer.from('ID3\x04\0\0\0\0\x01\x00', 'latin1');

  it.each([
    ['FLAC', 'fLaC', 'audio/flac'],
    ['AAC', '\xff\xf1\x50\x80', 'audio/aac'],
    ['MP3', '\xff\xfb\x90\x64', 'audio/mpeg'],
    ['anything else', 'GIF89a', 'audio/mpeg'],
  ])('after an ID3 tag is told by what follows: %s', async (_, sound, mimeType) => {
    const file = Buffer.concat([tag, Buffer.alloc(128), Buffer.from(sound, 'latin1')]);
    expect((await sniff(file)).mimeType).toBe(mimeType);
  });

  it('in ASF is a video as soon as one of its streams is', async () => {
    const header = Buffer.from('3026b2758e66cf11a6d900aa0062ce6c'.padEnd(60, '0'), 'hex');
    // A stream's properties: identifier, size of 100, type of the stream.
    const stream = (type: string) =>
      Buffer.from(
        `9107dcb7b7a9cf118ee600c00c2053656400000000000000${type}`.padEnd(200, '0'),
        'hex',
      );
    const sound = Buffer.concat([header, stream('409e69f84d5bcf11a8fd00805f5c442b')]);
    const video = Buffer.concat([sound, stream('c0ef19bc4d5bcf11a8fd00805f5c442b')]);
    expect(await sniff(sound, 'a.wma')).toMatchObject({ mimeType: 'audio/x-ms-wma' });
    expect(await sniff(video, 'a.wmv')).toMatchObject({ mimeType: 'video/x-ms-wmv' });
    expect(await sniff(video, 'a.asf')).toMatchObject({ mimeType: 'video/x-ms-asf' });
  });
});

describe('text', () => {
  it.each(
    Object.entries({
      'master.m3u8': ['application/vnd.apple.mpegurl', '#EXTM3U\n240p.m3u8\n'],
      'list.m3u': ['application/vnd.apple.mpegurl', '\ufeff#EXTM3U\r\na.mp3\r\n'],
      'a.srt': ['application/x-subrip', '1\n00:00:01,000 --> 00:00:02,000\nHi\n'],
      'a.ass': ['text/x-ssa', '[Script Info]\n'],
      'README.md': ['text/markdown', '<h1>Title</h1>\n\nText'],
      'page.html': ['text/html', '<h1>Title</h1>\n\nText'],
      'a.geojson': ['application/geo+json', '{"type": "FeatureCollection"}'],
      'a.jsonld': ['application/ld+json', '{"@context": ""}'],
      'a.webmanifest': ['application/manifest+json', '{"name": "App"}'],
      'a.ndjson': ['application/x-ndjson', '{"a": 1}\n{"a": 2}\n'],
    }),
  )('%s has a type of its own, and keeps its extension', async (filename, [mimeType, content]) => {
    const extension = filename.split('.')[1];
    expect(await sniff(content!, filename)).toMatchObject({ mimeType, extension });
  });
});

describe.each([
  ['a page', '<html><script>1</script>'],
  ['an open comment', '<!-- a'],
  ['a drawing', '<svg xmlns="http://www.w3.org/2000/svg"/>'],
  ['XML', '<?xml version="1.0"?><script xmlns="http://www.w3.org/1999/xhtml"/>'],
])('text that begins like %s', (_, content) => {
  it.each(
    Object.entries({
      'text/plain': 'txt text log asc ini cfg conf css js ts php sh py sql toml properties',
      'text/markdown': 'md markdown',
      'text/csv': 'csv',
      'text/tab-separated-values': 'tsv',
      'application/json': 'json map',
      'application/x-ndjson': 'ndjson',
      'application/yaml': 'yaml yml',
      'application/x-subrip': 'srt',
      'text/vtt': 'vtt',
      'text/x-ssa': 'ass ssa',
      'text/calendar': 'ics',
      'text/vcard': 'vcf',
    }),
  )('is %s under the names of such text: %s', async (mimeType, extensions) => {
    for (const extension of extensions.split(' ')) {
      const found = await sniff(content, `a.${extension}`);
      expect(found).toMatchObject({ mimeType, extension, kind: 'document' });
    }
  });

  it.each(['png', 'mp3', 'mp4', 'pdf', 'docx', 'html', 'svg', 'xml', 'bin', 'constructor'])(
    'is what it is under the name .%s',
    async (extension) => {
      const { mimeType } = await sniff(content, `a.${extension}`);
      expect(mimeType).toMatch(/^(?:text\/html|image\/svg\+xml|application\/xml)$/);
    },
  );
});

it.each([
  ['report.docx', 'a.docm', 'application/vnd.ms-word.document.macroenabled.12'],
  ['report.docx', 'a.dotm', 'application/vnd.ms-word.template.macroenabled.12'],
])('%s named %s is of the type for files with macros', async (name, filename, mimeType) => {
  const extension = filename.slice(2);
  expect(await sniffFile(fixture(name), { filename })).toMatchObject({ mimeType, extension });
});

it('a packed SVG is gzip, and keeps its extension', async () => {
  const file = gzipSync('<svg xmlns="http://www.w3.org/2000/svg"/>');
  const expected = { mimeType: 'application/gzip', extension: 'svgz', kind: 'other' };
  expect(await sniff(file, 'a.svgz')).toEqual(expected);
});

it('a TIFF with addresses of 64 bits is a TIFF', async () => {
  const header = Buffer.from('49492b000800000000000100', 'hex');
  const file = Buffer.concat([header, Buffer.alloc(100_000, 1)]);
  expect((await sniff(file)).mimeType).toBe('image/tiff');
});
