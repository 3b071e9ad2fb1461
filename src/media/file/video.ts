import {
  ALL_FORMATS,
  CustomSource,
  Input,
  type InputVideoTrack,
  type MetadataTags,
} from 'mediabunny';
import { videoTypeOf } from '../preview/video/container.ts';
import { probeVideo } from '../preview/video/probe.ts';
import { averageBitRate, readCreationTime } from './audio.ts';
import type { ByteSource, Findings } from './details.ts';
import { parseTime } from './taken-at.ts';
import { placeOf, textOf } from './video-place.ts';

/** Frames whose times give the frame rate: a few seconds. */
const FRAMES = 120;

/**
 * Reads the container of a video with mediabunny. Reads one that mediabunny cannot read, such as AVI, WMV and FLV, with
 * ffprobe, if that is installed. Finds nothing in any other.
 */
export async function readVideo(source: ByteSource): Promise<Findings> {
  const found = await readContainer(source);
  const isUnknown = found.videoCodec === undefined && found.durationMs === undefined;
  return isUnknown ? { ...found, ...(await attempt(() => probe(source))) } : found;
}

/** Bytes that ffprobe gets: such containers begin with what it reads. */
const HEAD_BYTES = 4 * 1024 * 1024;

/** Time limit of ffprobe: less than that of a file, so that a slow start of ffprobe does not exceed it. */
const PROBE_MS = 6000;

async function probe(source: ByteSource): Promise<Findings | undefined> {
  const head = await source.read(0, HEAD_BYTES);
  const mimeType = videoTypeOf(head);
  if (mimeType === undefined) return undefined;
  const found = await probeVideo({ head }, { mimeType, timeoutMs: PROBE_MS });
  const { durationSeconds, ...others } = found;
  return {
    ...others,
    durationMs: durationSeconds && durationSeconds * 1000,
    // The bit rate of ffprobe is that of the bytes that it has seen.
    bitRate: averageBitRate(source, durationSeconds),
  };
}

async function readContainer(source: ByteSource): Promise<Findings> {
  const input = new Input({ formats: ALL_FORMATS, source: toSource(source) });
  const tags = await attempt(() => input.getMetadataTags());
  const video = await attempt(() => input.getPrimaryVideoTrack());
  const audio = await attempt(() => input.getPrimaryAudioTrack());
  const duration =
    (await attempt(() => input.getDurationFromMetadata())) ??
    (await attempt(() => measureDuration(input)));
  return {
    durationMs: duration === undefined ? undefined : duration * 1000,
    bitRate: averageBitRate(source, duration),
    videoCodec: nameOf(await attempt(() => video?.getCodec())),
    audioCodec: nameOf(await attempt(() => audio?.getCodec())),
    frameRate: await attempt(() => frameRateOf(video)),
    width: await attempt(() => video?.getDisplayWidth()),
    height: await attempt(() => video?.getDisplayHeight()),
    ...(tags && findingsOf(tags)),
    takenAt: takenAtOf(tags) ?? (await attempt(() => readCreationTime(source))),
  };
}

function toSource({ sizeBytes, read }: ByteSource): CustomSource {
  return new CustomSource({
    getSize: () => sizeBytes,
    read: (start, end) => read(start, end - start),
    prefetchProfile: 'fileSystem',
    handleUnhandledError: () => undefined,
  });
}

/** Returns the result of `work`; undefined if it is null or fails: one broken part says nothing about the others. */
async function attempt<T>(
  work: () => Promise<T | null | undefined> | undefined,
): Promise<T | undefined> {
  try {
    return (await work()) ?? undefined;
  } catch {
    return undefined;
  }
}

/** A recording of a broadcast does not begin at zero. */
async function measureDuration(input: Input): Promise<number> {
  return (await input.computeDuration()) - Math.max(0, await input.getFirstTimestamp());
}

async function frameRateOf(video: InputVideoTrack | undefined): Promise<number | undefined> {
  return (await video?.computePacketStats(FRAMES))?.averagePacketRate;
}

/** The names that players know codecs by, where mediabunny has others. */
const NAMES: Readonly<Record<string, string>> = { avc: 'h264', 'pcm-s16': 'pcm' };

function nameOf(codec: string | undefined): string | undefined {
  if (codec === undefined) return undefined;
  return codec.startsWith('pcm-') ? 'pcm' : (NAMES[codec] ?? codec);
}

function findingsOf({ artist, raw = {} }: MetadataTags): Findings {
  const make = textOf(raw, 'com.apple.quicktime.make', 'com.android.manufacturer');
  const model = textOf(raw, 'com.apple.quicktime.model', 'com.android.model');
  return {
    author: artist,
    copyright: textOf(raw, 'com.apple.quicktime.copyright', 'cprt', '©cpy', 'COPYRIGHT'),
    camera: [make, model].filter(Boolean).join(' '),
    ...placeOf(raw),
  };
}

function takenAtOf(tags: MetadataTags | undefined): number | undefined {
  return parseTime(textOf(tags?.raw ?? {}, 'com.apple.quicktime.creationdate'));
}
