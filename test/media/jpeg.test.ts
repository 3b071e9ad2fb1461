import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { sizeOfWholeJpeg } from '../../src/media/jpeg.ts';
import { noise } from '../support/image.ts';
import { fixture } from '../support/temporary-file.ts';

describe('sizeOfWholeJpeg', () => {
  it.each([
    ['baseline', {}],
    ['progressive', { progressive: true }],
    ['4:4:4', { chromaSubsampling: '4:4:4' }],
  ])('returns the size of a JPEG: %s', async (_, options) => {
    expect(sizeOfWholeJpeg(await photo(options))).toEqual({ width: 60, height: 40 });
  });

  it('applies the EXIF orientation', async () => {
    const bytes = await readFile(fixture('photo-with-exif-rotation.jpg'));
    expect(sizeOfWholeJpeg(bytes)).toEqual({ width: 30, height: 40 });
  });

  it('ignores bytes after the end', async () => {
    const bytes = Buffer.concat([await photo({}), Buffer.from('trailer')]);
    expect(sizeOfWholeJpeg(bytes)).toEqual({ width: 60, height: 40 });
  });

  it('returns null for every beginning of a JPEG', async () => {
    for (const options of [{}, { progressive: true }]) {
      const bytes = await photo(options);
      for (let length = 0; length < bytes.length; length++) {
        expect(sizeOfWholeJpeg(bytes.subarray(0, length)), `${length}`).toBeNull();
      }
    }
  });

  it('returns null for more pixels than the bytes can hold', async () => {
    const bytes = await photo({});
    const frame = bytes.indexOf(Buffer.from([0xff, 0xc0]));
    bytes.writeUInt16BE(30_000, frame + 5);
    bytes.writeUInt16BE(30_000, frame + 7);
    expect(sizeOfWholeJpeg(bytes)).toBeNull();
  });

  it('leaves CMYK to a decoder', async () => {
    expect(sizeOfWholeJpeg(await noise().toColourspace('cmyk').jpeg().toBuffer())).toBeNull();
  });
});

function photo(options: object): Promise<Buffer> {
  return noise().jpeg(options).toBuffer();
}
