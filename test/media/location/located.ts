import exifReader from 'exifreader';
import sharp from 'sharp';
import { findLocation } from '../../../src/media/location/find-location.ts';
import { patched } from '../../../src/media/location/patch.ts';
import { sourceOf } from '../../../src/media/location/window.ts';
import { sniffFile } from '../../../src/media/sniff.ts';

/** Numbers and names of the place in all metadata of these tests: each is found in no other bytes. */
export const SECRETS = {
  numbers: [7_654_321, 8_765_432],
  texts: ['47,11.123N', '47.11123', 'Zermattville', 'Matterland', 'Hörnliweg'],
};

/** EXIF with a place, and without one, as sharp takes it. */
export const EXIF = {
  IFD0: { Make: 'Maker', Model: 'Model 1', Artist: 'Ann' },
  IFD2: { LensModel: 'Lens 50', ISOSpeedRatings: '200' },
  IFD3: {
    GPSLatitudeRef: 'N',
    GPSLatitude: '47/1 7/1 7654321/1000000',
    GPSLongitudeRef: 'E',
    GPSLongitude: '8/1 9/1 8765432/1000000',
    GPSAltitudeRef: '0',
    GPSAltitude: '8765432/2000',
  },
};

/** XMP with a place as attributes, elements, and nested elements. */
export const XMP = `<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 exif:GPSLatitude="47,11.123N" exif:GPSLongitude='8,9.5>E' photoshop:City="Zermattville" photoshop:Credit="A &amp; B">
<dc:creator><rdf:Alt><rdf:li xml:lang="x-default">Ann</rdf:li></rdf:Alt></dc:creator>
<photoshop:Country>Matterland</photoshop:Country>
<e:LocationCreated><rdf:Bag><rdf:li><e:LocationCreated>Zermattville</e:LocationCreated><e:City>Zermattville</e:City></rdf:li></rdf:Bag></e:LocationCreated>
<!-- a > comment --></rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>`;

/** Returns an image of noise, with the metadata. */
export function image(format: 'jpeg' | 'png' | 'webp' | 'avif' | 'tiff'): Promise<Buffer> {
  const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const;
  return sharp({ create: { width: 64, height: 48, channels: 3, background: '#468', noise } })
    .withExif(EXIF)
    .withXmp(XMP)
    .toFormat(format)
    .toBuffer();
}

/** Returns the bytes without their location. */
export async function stripped(bytes: Buffer): Promise<Buffer> {
  const { mimeType } = await sniffFile(bytes);
  return patched(bytes, await findLocation(sourceOf(bytes), mimeType));
}

/** Returns the encodings of the place that bytes still have. */
export function secretsIn(bytes: Buffer): string[] {
  const numbers = SECRETS.numbers.flatMap((number) => {
    const [little, big] = [Buffer.alloc(4), Buffer.alloc(4)];
    little.writeUInt32LE(number);
    big.writeUInt32BE(number);
    return bytes.includes(little) || bytes.includes(big) ? [String(number)] : [];
  });
  return [...numbers, ...SECRETS.texts.filter((text) => bytes.includes(text))];
}

/** Returns what another program reads, without what describes the file itself. */
export function tagsOf(bytes: Buffer): Record<string, string> {
  const tags = exifReader.load(bytes);
  return Object.fromEntries(
    Object.entries(tags).map(([name, tag]) => [name, String(tag?.description)]),
  );
}

/** Returns the number of bytes that differ. */
export function differences(a: Buffer, b: Buffer): number {
  return a.reduce((sum, byte, index) => sum + Number(byte !== b[index]), 0);
}

/** Returns an application segment of a JPEG. */
export function segment(marker: number, ...parts: (string | Buffer)[]): Buffer {
  const content = Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)),
  );
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(content.length + 2, 2);
  return Buffer.concat([head, content]);
}

/** Returns a JPEG with more segments, after its first marker. */
export function withSegments(jpeg: Buffer, ...segments: Buffer[]): Buffer {
  return Buffer.concat([jpeg.subarray(0, 2), ...segments, jpeg.subarray(2)]);
}
