import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { findProgram } from '../../../../src/media/preview/availability.ts';
import { probeVideo } from '../../../../src/media/preview/video/probe.ts';
import { fixtureBytes } from '../../../support/bytes.ts';
import { createRandom } from '../../../support/random.ts';
import { fixture } from '../../../support/temporary-file.ts';
import { drawBytes, expectReason, looksOf, QUADRANTS } from '../draw.ts';

const SEARCH_PATH = process.env.PATH ?? '';
const HAS_FFMPEG =
  (await findProgram('ffmpeg', SEARCH_PATH)) !== null &&
  (await findProgram('ffprobe', SEARCH_PATH)) !== null;

const bytesOf = (name: string) => fixtureBytes(`preview/${name}`);
const draw = (name: string) => drawBytes(name, bytesOf(name));

describe.skipIf(!HAS_FFMPEG)('a video (with ffmpeg)', () => {
  test.each([
    ...['clip.avi', 'clip.wmv', 'clip.flv', 'clip.mpg', 'clip.m2ts', 'clip.ogv', 'clip.mkv'],
    ...['clip.webm', 'clip.mov', 'clip.mxf'],
  ])('such as %s is drawn by one of its frames', async (name) => {
    expect(await looksOf(await draw(name))).toBe(`80 × 60: ${QUADRANTS}`);
  });

  test('such as clip.3gp is drawn with square pixels', async () => {
    expect(await looksOf(await draw('clip.3gp'))).toMatch(/^1[34]\d × 96: red lime blue white/);
    expect(await looksOf(await draw('wide-pixels.mp4'))).toBe(`160 × 60: ${QUADRANTS}`);
  });

  test('of a phone that was turned is drawn upright', async () => {
    const { width, height } = await draw('turned.mp4');
    expect([width, height]).toEqual([60, 80]);
  });

  test('that begins dark is drawn by a frame that shows something', async () => {
    expect(await looksOf(await draw('dark-start.mp4'))).toBe(`80 × 60: ${QUADRANTS}`);
  });

  test('that is dark is drawn all the same', async () => {
    expect(await looksOf(await draw('black.mp4'))).toMatch(/^16 × 16: black/);
  });

  test('is drawn within the side that is allowed', async () => {
    const { width, height } = await drawBytes('a.mov', bytesOf('clip.mov'), { sideMax: 40 });
    expect([width, height]).toEqual([40, 30]);
  });

  test('that is cut off is drawn as far as it goes', async () => {
    const bytes = bytesOf('clip.m2ts');
    expect(await looksOf(await drawBytes('a.m2ts', bytes.subarray(0, 5000)))).toMatch(
      /^80 × 60: red/,
    );
    const cut = bytesOf('clip.mov').subarray(0, 500);
    await expect(drawBytes('a.mov', cut)).rejects.toThrow('no frame that ffmpeg can decode');
  });

  test('with frames of 268 megapixels is not decoded', async () => {
    const bytes = bytesOf('clip.webm');
    // RFC 6386 §9.1: the start code of a key frame, and 14 bits each of width and height.
    const at = bytes.indexOf(Buffer.from('9d012a', 'hex'));
    bytes.writeUInt16LE(16_383, at + 3);
    bytes.writeUInt16LE(16_383, at + 5);
    await expect(drawBytes('a.webm', bytes)).rejects.toThrow('no frame that ffmpeg can decode');
  });

  test('whose header claims a duration of years is drawn by its start', async () => {
    const bytes = bytesOf('clip.mov');
    for (const name of ['mvhd', 'mdhd']) bytes.writeUInt32BE(0x7fff_ffff, bytes.indexOf(name) + 20);
    expect(await looksOf(await drawBytes('a.mov', bytes))).toBe(`80 × 60: ${QUADRANTS}`);
  });

  test('that is damaged is drawn, or refused with a reason', async () => {
    const random = createRandom(16);
    for (const name of ['clip.avi', 'clip.mkv', 'clip.mov', 'clip.flv']) {
      for (let count = 0; count < 4; count++) {
        const bytes = bytesOf(name);
        for (let flips = 0; flips < 6; flips++) bytes[12 + random(bytes.length - 12)] = random(256);
        await drawBytes(name, bytes, { mimeType: TYPES[name] ?? '' }).catch(expectReason);
      }
    }
  });
});

const TYPES: Readonly<Record<string, string>> = {
  ...{ 'clip.avi': 'video/vnd.avi', 'clip.mkv': 'video/matroska' },
  ...{ 'clip.mov': 'video/quicktime', 'clip.flv': 'video/x-flv' },
};

describe.skipIf(!HAS_FFMPEG)('a playlist that claims to be a video (with ffmpeg)', () => {
  test.each([
    'video/mp4',
    'video/mp2t',
    'video/vnd.avi',
    'video/x-flv',
    'video/mpeg',
    'video/x-ms-asf',
    'video/matroska',
    'application/mxf',
  ])('such as %s makes ffmpeg fetch nothing', (mimeType) =>
    withServer(async (origin, requests) => {
      for (const playlist of playlistsOf(origin)) {
        const bytes = Buffer.from(playlist);
        await expect(drawBytes('a.mp4', bytes, { mimeType })).rejects.toThrow('no frame');
      }
      expect(requests).toEqual([]);
    }),
  );

  test('within the subtitles of an AVI makes ffmpeg fetch nothing', () =>
    withServer(async (origin, requests) => {
      for (const playlist of playlistsOf(origin)) {
        await drawBytes('a.avi', withSubtitles(bytesOf('clip.avi'), playlist)).catch(expectReason);
      }
      expect(requests).toEqual([]);
    }));
});

function playlistsOf(origin: string): string[] {
  return [
    `#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10.0,\n${origin}/a.ts\n#EXT-X-ENDLIST\n`,
    `#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:1,\nconcat:${origin}/h|file:///etc/passwd\n#EXT-X-ENDLIST\n`,
    '#EXTM3U\n#EXTINF:10.0,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n',
    `ffconcat version 1.0\nfile '${origin}/a.mp4'\nfile '/etc/passwd'\n`,
    `<?xml version="1.0"?><MPD><Period><BaseURL>${origin}/</BaseURL></Period></MPD>`,
  ];
}

/** Returns an AVI with a chunk of subtitles as DivX writes them, which ffmpeg reads with a demuxer of its choice. */
function withSubtitles(avi: Buffer, subtitles: string): Buffer {
  const text = Buffer.from(subtitles);
  const head = Buffer.from('GAB2\0\x02\0\0\0\0\0\x04\0', 'latin1');
  const content = Buffer.concat([head, Buffer.alloc(4), text]);
  content.writeUInt32LE(text.length, head.length);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(content.length);
  const chunk = Buffer.concat([
    Buffer.from('00tx'),
    size,
    content,
    Buffer.alloc(content.length % 2),
  ]);
  const at = avi.indexOf('movi') + 4;
  return Buffer.concat([avi.subarray(0, at), chunk, avi.subarray(at)]);
}

/** Runs `work` with a server on this machine, and the requests that it has seen. */
async function withServer(work: (origin: string, requests: string[]) => Promise<void>) {
  const requests: string[] = [];
  const server: Server = createServer((request, response) => {
    requests.push(request.url ?? '');
    response.end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  try {
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests);
  } finally {
    server.close();
  }
}

describe.skipIf(!HAS_FFMPEG)('ffprobe', () => {
  test.each([
    [
      'clip.avi',
      'video/vnd.avi',
      { width: 80, height: 60, videoCodec: 'mpeg4', audioCodec: 'mp2' },
    ],
    [
      'clip.wmv',
      'video/x-ms-wmv',
      { width: 80, height: 60, videoCodec: 'wmv2', audioCodec: 'wmav2' },
    ],
    ['clip.flv', 'video/x-flv', { width: 80, height: 60, videoCodec: 'flv1', audioCodec: 'mp3' }],
    ['turned.mp4', 'video/mp4', { width: 60, height: 80, videoCodec: 'h264', frameRate: 10 }],
    ['wide-pixels.mp4', 'video/mp4', { width: 160, height: 60 }],
  ])('reads %s, from its path and from its first bytes', async (name, mimeType, expected) => {
    const limits = { mimeType, timeoutMs: 60_000 };
    const path = fixture(`preview/${name}`);
    expect(await probeVideo({ path }, limits)).toMatchObject(expected);
    const head = new Uint8Array(bytesOf(name));
    expect(await probeVideo({ head }, limits)).toMatchObject(expected);
  });
});
