import { runProgram } from '../program.ts';
import { inputOptions } from './container.ts';

/** What ffprobe says of a video. */
export interface VideoProbe {
  durationSeconds?: number;
  /** Size of a frame as displayed: with its rotation and the shape of its pixels applied. */
  width?: number;
  height?: number;
  /** Frames per second. */
  frameRate?: number;
  /** Names of codecs as ffmpeg writes them, such as `h264`. */
  videoCodec?: string;
  audioCodec?: string;
  /** Bits per second, of the container. */
  bitRate?: number;
}

/** A video: its path, or its first bytes. */
type VideoInput = { path: string } | { head: Uint8Array };

/** The limits of a probe. */
interface ProbeOptions {
  mimeType: string;
  timeoutMs: number;
  signal?: AbortSignal;
}

const OUTPUT_BYTES_MAX = 256 * 1024;

/** ffprobe and its libraries take 300 MiB of the address space. */
const MEMORY_BYTES_MAX = 1024 * 1024 * 1024;

/**
 * Reads the container of a video with ffprobe. Finds nothing if ffprobe is not installed, or cannot read the file. Throws
 * as `runProgram` does.
 */
export async function probeVideo(
  input: VideoInput,
  { mimeType, timeoutMs, signal }: ProbeOptions,
): Promise<VideoProbe> {
  const { output } = await runProgram('ffprobe', probeParameters(input, mimeType), {
    timeoutMs,
    outputBytesMax: OUTPUT_BYTES_MAX,
    memoryBytesMax: MEMORY_BYTES_MAX,
    signal,
    ...('head' in input && { input: input.head }),
  });
  return parseProbe(output.toString());
}

/** Returns the parameters of ffprobe. */
export function probeParameters(input: VideoInput, mimeType: string): string[] {
  const isFile = 'path' in input;
  return [
    ...['-v', 'error', '-hide_banner'],
    ...inputOptions(mimeType, isFile ? 'file' : 'pipe'),
    ...['-of', 'json', '-show_entries', ENTRIES],
    ...['-i', isFile ? `file:${input.path}` : 'pipe:0'],
  ];
}

const ENTRIES = [
  'format=duration,bit_rate',
  'stream=codec_type,codec_name,width,height,sample_aspect_ratio,avg_frame_rate,r_frame_rate,duration',
  'stream_disposition=attached_pic',
  'stream_tags=rotate',
  'stream_side_data=rotation',
].join(':');

interface Stream {
  codec_type?: string;
  codec_name?: string;
  width?: number;
  height?: number;
  sample_aspect_ratio?: string;
  avg_frame_rate?: string;
  r_frame_rate?: string;
  duration?: string;
  disposition?: { attached_pic?: number };
  tags?: { rotate?: string };
  side_data_list?: { rotation?: number }[];
}

/** Returns what the output of ffprobe says: nothing if it is not JSON. */
export function parseProbe(text: string): VideoProbe {
  const { streams = [], format = {} } = parseOutput(text);
  const video = streams.find(
    ({ codec_type, disposition }) => codec_type === 'video' && disposition?.attached_pic !== 1,
  );
  const audio = streams.find(({ codec_type }) => codec_type === 'audio');
  const found = {
    durationSeconds: positive(format.duration) ?? positive(video?.duration ?? audio?.duration),
    ...sizeOf(video),
    frameRate: ratioOf(video?.avg_frame_rate) ?? ratioOf(video?.r_frame_rate),
    videoCodec: codecOf(video),
    audioCodec: codecOf(audio),
    bitRate: positive(format.bit_rate),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

interface ProbeOutput {
  streams?: Stream[];
  format?: { duration?: string; bit_rate?: string };
}

function parseOutput(text: string): ProbeOutput {
  try {
    return (JSON.parse(text) ?? {}) as ProbeOutput;
  } catch {
    // A program that was killed, or that failed before it wrote anything.
    return {};
  }
}

function sizeOf(video: Stream | undefined): Pick<VideoProbe, 'width' | 'height'> {
  if (!video?.width || !video.height) return {};
  const shape = ratioOf(video.sample_aspect_ratio, ':') ?? 1;
  const width = Math.round(video.width * shape);
  const { height } = video;
  const turned = video.side_data_list?.find(({ rotation }) => rotation !== undefined)?.rotation;
  const isOnSide = Math.abs(turned ?? Number(video.tags?.rotate ?? 0)) % 180 === 90;
  return isOnSide ? { width: height, height: width } : { width, height };
}

/** Returns the name of a codec; `pcm` for those that ffmpeg names after their sample format. */
function codecOf(stream: Stream | undefined): string | undefined {
  const name = stream?.codec_name;
  if (name === undefined || name === 'unknown') return undefined;
  return name.startsWith('pcm_') ? 'pcm' : name;
}

function ratioOf(text: string | undefined, sign = '/'): number | undefined {
  const [numerator, denominator] = (text ?? '').split(sign).map(Number);
  return positive(Number(numerator) / Number(denominator));
}

function positive(value: string | number | undefined): number | undefined {
  const number = Number(value);
  return number > 0 && Number.isFinite(number) ? number : undefined;
}
