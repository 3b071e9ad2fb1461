import { describe, expect, test } from 'vitest';
import { VIDEO_TYPES } from '../../../../src/media/preview/video/container.ts';
import { frameParameters, frameSearches } from '../../../../src/media/preview/video/frame.ts';
import { parseProbe, probeParameters } from '../../../../src/media/preview/video/probe.ts';
import { AVI, COVER, TURNED, WIDE_PIXELS } from './recorded.ts';

const PATH = '/data/a -i http://x.mp4';
const LIMITS = { sideMax: 2048, pixelsMax: 100_000_000 };

describe.each(VIDEO_TYPES)('the parameters of ffmpeg and ffprobe for %s', (mimeType) => {
  const searches = frameSearches(100);
  const lists = [
    ...searches.map((search) => frameParameters(PATH, search, { ...LIMITS, mimeType })),
    probeParameters({ path: PATH }, mimeType),
    probeParameters({ head: new Uint8Array() }, mimeType),
  ];

  test('allow nothing but one demuxer, which is not that of a playlist, and one protocol', () => {
    for (const list of lists) {
      const input = list.indexOf('-i');
      const parameterOf = (option: string) => {
        const at = list.indexOf(option);
        expect(at).toBeLessThan(input);
        return list[at + 1];
      };
      expect(parameterOf('-f')).toBe(parameterOf('-format_whitelist'));
      expect(parameterOf('-f')).not.toMatch(/hls|concat|dash|applehttp|image2|tee|lavfi|,/);
      expect(parameterOf('-protocol_whitelist')).toMatch(
        list[input + 1] === 'pipe:0' ? /^pipe$/ : /^file$/,
      );
      expect(Number(parameterOf('-max_pixels'))).toBeLessThanOrEqual(67_108_864);
      expect(list.filter((value) => value === '-i')).toHaveLength(1);
    }
  });

  test('name the file with its protocol, so that its name is never an option or a URL', () => {
    expect(lists.filter((list) => list.includes(PATH))).toEqual([]);
    for (const list of lists.slice(0, -1))
      expect(list[list.indexOf('-i') + 1]).toBe(`file:${PATH}`);
  });
});

test('one frame is written, without sound, as PNG, within the sides that are allowed', () => {
  const [first] = frameSearches(100);
  expect(first && frameParameters('/a', first, { ...LIMITS, mimeType: 'video/mp4' })).toEqual([
    ...['-nostdin', '-hide_banner', '-v', 'error'],
    ...['-protocol_whitelist', 'file', '-format_whitelist', 'mov', '-f', 'mov'],
    ...['-probesize', '5000000', '-analyzeduration', '5000000'],
    ...['-max_pixels', '67108864', '-threads', '1'],
    ...['-ss', '10.000', '-t', '60', '-i', 'file:/a'],
    ...['-map', '0:V:0', '-an', '-sn', '-dn', '-frames:v', '1'],
    '-vf',
    "select='not(mod(n,5))',scale=w='max(1,trunc(iw*sar))':h=ih," +
      "scale=w='min(2048,iw)':h='min(2048,ih)':force_original_aspect_ratio=decrease,setsar=1,thumbnail=12",
    ...['-filter_threads', '1', '-threads', '1', '-c:v', 'png', '-f', 'image2pipe', 'pipe:1'],
  ]);
});

test('a frame is looked for at a tenth of the video, in its middle, and at its start', () => {
  expect(frameSearches(200).map(({ startSeconds }) => startSeconds)).toEqual([20, 100, 0, 0]);
  expect(frameSearches(undefined).map(({ startSeconds }) => startSeconds)).toEqual([0, 0]);
});

describe('the output of ffprobe', () => {
  test('is read', () => {
    expect(parseProbe(AVI)).toEqual({
      ...{ durationSeconds: 2.037551, width: 96, height: 64, frameRate: 10 },
      ...{ videoCodec: 'mpeg4', audioCodec: 'mp2', bitRate: 91_945 },
    });
  });

  test('gives the size as displayed: turned, and with square pixels', () => {
    expect(parseProbe(TURNED)).toMatchObject({ width: 1080, height: 1920, videoCodec: 'hevc' });
    expect(parseProbe(WIDE_PIXELS)).toEqual({
      ...{ width: 1024, height: 576, frameRate: 25, videoCodec: 'mpeg2video', audioCodec: 'pcm' },
    });
  });

  test('does not take a cover for a video', () => {
    expect(parseProbe(COVER)).toEqual({
      durationSeconds: 0.339,
      audioCodec: 'mp3',
      bitRate: 38_000,
    });
  });

  test.each([
    '',
    '{}',
    'null',
    '[1]',
    '{"streams":[{}],"format":{"duration":"N/A"}}',
    AVI.slice(0, 200),
  ])('that says nothing, such as %j, finds nothing', (text) => {
    expect(parseProbe(text)).toEqual({});
  });
});
