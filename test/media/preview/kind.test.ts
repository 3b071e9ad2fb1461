import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isDecodable } from '../../../src/media/image-header.ts';
import { createCatalog } from '../../../src/media/preview/catalog.ts';
import { createPreviewer } from '../../../src/media/preview/previewer.ts';
import { DECODERS } from '../../../src/media/preview/registry.ts';
import { sniffFile } from '../../../src/media/sniff.ts';
import { fixtureBytes } from '../../support/bytes.ts';
import { quadrants } from '../../support/image.ts';
import { canonRaw, fujifilmRaw, rawFile } from './embedded/raw-file.ts';

const JPEG = await quadrants(64, 48).jpeg().toBuffer();
const RAW = rawFile([{ parts: [{ bytes: JPEG, as: 'jpeg' }] }]);

/** Files that are made here; all others are fixtures. */
const MADE: Readonly<Record<string, Buffer>> = {
  ...{ 'photo.dng': RAW, 'photo.nef': RAW, 'photo.arw': RAW, 'photo.pef': RAW, 'photo.srw': RAW },
  'photo.cr3': canonRaw(JPEG, 1),
  'photo.raf': fujifilmRaw(JPEG),
  'sensor.nef': rawFile([{ parts: [] }]),
};

/** What is seen of each kind of file: by which decoder, or why nothing. */
const KINDS: Readonly<Record<string, string>> = {
  // Rendered as such.
  ...expected(
    'image',
    'photo-with-details.jpg picture.png picture.webp picture.avif animation.gif',
  ),
  ...expected('image', 'photo-with-details.tiff'),
  ...expected('heic', 'picture.heic'),
  ...expected('svg', 'drawing.svg drawing-with-script.svg'),
  ...expected('pdf', 'document.pdf document-with-text.pdf'),
  ...expected('video', 'clip.mp4 clip.webm phone.mov preview/clip.mkv preview/clip.avi'),
  ...expected('video', 'preview/clip.wmv preview/clip.flv preview/clip.mpg preview/clip.m2ts'),
  ...expected('video', 'preview/clip.ogv preview/clip.3gp preview/clip.mxf preview/dark-start.mp4'),
  ...expected('cover', 'preview/cover.mp3 preview/cover.m4a preview/cover.flac'),
  ...expected('The file contains no cover image.', 'sound.mp3 sound.ogg sound.weba'),
  ...expected('bmp', 'preview/rgb.bmp preview/runs.bmp'),
  ...expected('icon', 'preview/icon.ico preview/cursor.cur'),
  ...expected('photoshop', 'preview/rgb.psd preview/cmyk.psd preview/large.psb'),
  ...expected('jpeg-xl', 'preview/photo.jxl'),
  ...expected('raw', 'photo.dng photo.nef photo.arw photo.pef photo.srw photo.cr3 photo.raf'),
  'sensor.nef': 'The raw file contains no preview.',
  ...expected('thumbnail', 'preview/document.odt'),
  ...expected('The document contains no thumbnail.', 'report.docx sheet.ods'),
  'preview/document.doc': 'No decoder (office): Turned off by the settings of the server.',
  // Shown by an icon of their type.
  ...expected('none', 'archive.zip note.txt page.html table.csv'),
};

function expected(what: string, names: string): Record<string, string> {
  return Object.fromEntries(names.split(' ').map((name) => [name, what]));
}

const SEARCH_PATH = process.env.PATH ?? '';
const enabled = DECODERS.filter(({ isOffByDefault }) => !isOffByDefault).map(({ name }) => name);
const catalog = createCatalog({ enabled, searchPath: SEARCH_PATH });
const states = Object.fromEntries((await catalog.states()).map((state) => [state.name, state]));
const previewer = createPreviewer({ searchPath: SEARCH_PATH });
let directory = '';

/** Returns what is seen of a file, as `KINDS` says it. */
async function seen(name: string): Promise<string> {
  const path = join(directory, 'file');
  await writeFile(path, MADE[name] ?? fixtureBytes(name));
  const { mimeType } = await sniffFile(path, { filename: name });
  if (isDecodable(mimeType)) return 'image';
  const decoder = catalog.decoderNameOf(mimeType);
  if (decoder === null) return catalog.reasonOf(mimeType) ?? 'none';
  try {
    const { width, height } = await previewer.draw({ path, mimeType, decoder });
    return width > 0 && height > 0 ? decoder : 'empty';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('previews of all kinds of files', () => {
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'trivium-kinds-'));
  });
  afterAll(async () => {
    await previewer.stop();
    await rm(directory, { recursive: true });
  });

  test('are at least 40, and every decoder that is on by default draws one of them', () => {
    expect(Object.keys(KINDS).length).toBeGreaterThanOrEqual(40);
    expect(enabled.filter((name) => !Object.values(KINDS).includes(name))).toEqual([]);
  });

  for (const [name, what] of Object.entries(KINDS)) {
    // Packages are installed wherever tests run.
    const isMissing = what === 'video' && states.video?.isAvailable === false;
    test.skipIf(isMissing)(`of ${name}: ${what}`, async () => {
      expect(await seen(name)).toBe(what);
    });
  }
});
