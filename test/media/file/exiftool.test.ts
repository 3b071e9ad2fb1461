import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../support/random.ts';
import { detailsOf } from './details-source.ts';

/** Reads and writes more metadata than any other program. */
const hasExiftool = spawnSync('exiftool', ['-ver']).status === 0;

const FORMATS = ['jpeg', 'png', 'webp', 'tiff', 'avif'] as const;
const PER_FORMAT = 10;

const random = createRandom(1);
const pick = <T>(...values: T[]): T => values[random(values.length)] as T;
const maybe = (...args: string[]) => (random(4) > 0 ? args : []);

describe.skipIf(!hasExiftool)('details of images (needs exiftool)', () => {
  test.each(FORMATS)('of %s are those of exiftool', async (format) => {
    const directory = mkdtempSync(join(tmpdir(), 'trivium-exiftool-'));
    try {
      const paths = await writeImages(directory, format);
      const read = execFileSync('exiftool', ['-json', '-n', '-G0', ...paths]);
      const all = JSON.parse(read.toString()) as Record<string, unknown>[];
      for (const tags of all) {
        const path = String(tags.SourceFile);
        expect([path, await detailsOf(path, await readFile(path))]).toEqual([path, expected(tags)]);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

async function writeImages(directory: string, format: (typeof FORMATS)[number]) {
  const paths: string[] = [];
  for (let index = 0; index < PER_FORMAT; index++) {
    const path = join(directory, `${index}.${format}`);
    const image = sharp({ create: { width: 8, height: 6, channels: 3, background: '#468' } });
    await image.toFormat(format).toFile(path);
    const args = [...someTags(), '-n', '-q', '-overwrite_original', path];
    if (args.length > 4) execFileSync('exiftool', args);
    paths.push(path);
  }
  return paths;
}

function someTags(): string[] {
  const two = (below: number) => String(1 + random(below)).padStart(2, '0');
  const time = `20${two(30)}:${two(12)}:${two(28)} ${two(23)}:${two(59)}:${two(59)}`;
  return [
    ...maybe(`-EXIF:Make=${pick('Canon', 'NIKON CORPORATION', 'Apple', 'SONY')}`),
    ...maybe(`-EXIF:Model=${pick('Canon EOS R5', 'NIKON D850', 'iPhone 15', 'ILCE-7M4')}`),
    ...maybe(`-EXIF:LensModel=${pick('50mm F1.8', '24-70mm F2.8', 'iPhone back camera')}`),
    ...maybe(`-EXIF:ExposureTime=${pick('0.004', '0.0005', '0.5', '2', '30')}`),
    ...maybe(`-EXIF:FNumber=${pick('0.95', '0.9', '1.8', '2.8', '8', '16')}`),
    ...maybe(`-EXIF:ISO=${pick('50', '400', '12800', '200 0')}`),
    ...maybe(`-EXIF:DateTimeOriginal=${time}`),
    ...maybe(`-EXIF:OffsetTimeOriginal=${pick('+02:00', '-09:30', '+00:00', '+05:45')}`),
    ...maybe(`-EXIF:SubSecTimeOriginal=${pick('5', '12', '123')}`),
    ...maybe(
      ...[`-EXIF:GPSLatitude=${random(9000) / 100}`, `-EXIF:GPSLatitudeRef=${pick('N', 'S')}`],
      ...[`-EXIF:GPSLongitude=${random(18000) / 100}`, `-EXIF:GPSLongitudeRef=${pick('E', 'W')}`],
    ),
    ...maybe(`-EXIF:Artist=${pick('Ann', 'Jörg', '李雷', 'Ann; Bob')}`),
    ...maybe(`-EXIF:Copyright=${pick('© Ann', '(c) 2024')}`),
  ];
}

/** Returns the details that follow from exiftool's reading. */
function expected(tags: Record<string, unknown>): object {
  const exif = (name: string) => tags[`EXIF:${name}`] as string | undefined;
  const [make, model] = [exif('Make'), exif('Model')];
  const isNamed = model?.toLowerCase().startsWith(make?.split(' ')[0]?.toLowerCase() ?? '');
  const seconds = exif('ExposureTime');
  const exposure = [
    ...(seconds ? [`${Number(seconds) < 0.25 ? `1/${1 / Number(seconds)}` : seconds} s`] : []),
    ...(exif('FNumber') ? [`f/${exif('FNumber')}`] : []),
  ].join(', ');
  const details = {
    takenAt: timeOf(
      exif('DateTimeOriginal'),
      exif('SubSecTimeOriginal'),
      exif('OffsetTimeOriginal'),
    ),
    camera: isNamed ? model : [make, model].filter(Boolean).join(' ') || undefined,
    lens: exif('LensModel'),
    exposure: exposure || undefined,
    // Some cameras write two numbers, of which exiftool shows both on `-n`.
    iso: exif('ISO') && Number.parseInt(exif('ISO')!, 10),
    latitude: roundedOf(tags['Composite:GPSLatitude']),
    longitude: roundedOf(tags['Composite:GPSLongitude']),
    author: exif('Artist'),
    copyright: exif('Copyright'),
  };
  return Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined));
}

function timeOf(time: string | undefined, fraction: unknown = '', zone = 'Z'): number | undefined {
  const date = time?.replace(':', '-').replace(':', '-').replace(' ', 'T');
  if (date === undefined) return undefined;
  return Date.parse(`${date}${fraction === '' ? '' : `.${fraction}`}${zone}`);
}

function roundedOf(degrees: unknown): number | undefined {
  return degrees === undefined ? undefined : Number(Number(degrees).toFixed(7));
}
