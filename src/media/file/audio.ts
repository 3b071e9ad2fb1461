import { type IFormat, parseBlob, selectCover } from 'music-metadata';
import type { ByteSource, Findings } from './details.ts';

/** Reads the format and the tags of a sound. Throws if it has no format that can be read. */
export async function readAudio(source: ByteSource): Promise<Findings> {
  const { format, common } = await parseBlob(toBlob(source), { skipCovers: true });
  const { duration, bitrate } = format;
  return {
    durationMs: duration && duration * 1000,
    bitRate: bitrate ?? averageBitRate(source, duration),
    audioCodec: codecOf(format),
    author: common.artists?.join(', ') ?? common.artist,
    copyright: common.copyright,
  };
}

/** Returns when a recording was made, by its container, in milliseconds since 1970. */
export async function readCreationTime(source: ByteSource): Promise<number | undefined> {
  const { format } = await parseBlob(toBlob(source), { skipCovers: true });
  const time = format.creationTime?.getTime();
  // The zero of the container is in 1904; many programs write it, or the zero of Unix, for "unknown".
  return time !== undefined && time > 0 ? time : undefined;
}

/** Returns the cover in the tags of a sound, in the format that its writer chose; undefined if there is none. */
export async function readCoverImage(source: ByteSource): Promise<Uint8Array | undefined> {
  const { common } = await parseBlob(toBlob(source));
  // Tags may link to an image: RFC 9639 §8.8 and ID3v2.4 §4.14 write its address in its place.
  const images = common.picture?.filter(({ format }) => format !== '-->');
  return selectCover(images)?.data;
}

/** Returns the average of all tracks, in bits per second. */
export function averageBitRate(
  { sizeBytes }: ByteSource,
  durationSeconds: number | undefined,
): number | undefined {
  return durationSeconds ? (8 * sizeBytes) / durationSeconds : undefined;
}

/** The part of a `Blob` that music-metadata reads: it asks for the bytes that it needs. */
function toBlob(source: ByteSource): Blob {
  const blob = {
    size: source.sizeBytes,
    type: '',
    slice: (start: number, end: number) => ({
      arrayBuffer: async () => (await source.read(start, end - start)).slice().buffer,
    }),
  };
  return blob as unknown as Blob;
}

/** The names of codecs that players know, by the beginning of music-metadata's. */
const CODECS: readonly [name: RegExp, codec: string][] = [
  [/^(?:MPEG \d(?:\.\d)? Layer 3|MP3)/i, 'mp3'],
  [/^MPEG \d(?:\.\d)? Layer 2/i, 'mp2'],
  [/^MPEG \d(?:\.\d)? Layer 1/i, 'mp1'],
  [/^(?:MPEG-[24]\/AAC|AAC|A_AAC|<mp4a>)/i, 'aac'],
  [/^(?:ALAC|Apple Lossless)/i, 'alac'],
  [/^FLAC/i, 'flac'],
  [/^Opus/i, 'opus'],
  [/^Vorbis/i, 'vorbis'],
  [/^Speex/i, 'speex'],
  [/^PCM|^Little|^Big|^A_PCM/i, 'pcm'],
];

function codecOf({ codec, trackInfo }: IFormat): string | undefined {
  const name = codec ?? trackInfo.find(({ audio }) => audio !== undefined)?.codecName;
  if (name === undefined) return undefined;
  return CODECS.find(([pattern]) => pattern.test(name))?.[1] ?? name.toLowerCase();
}
