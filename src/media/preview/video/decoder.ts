import { loadSharp } from '../../decode-memory.ts';
import { findProgram } from '../availability.ts';
import { type DrawLimits, type PreviewDecoder, PreviewError } from '../decoder.ts';
import { ProgramLimitError, runProgram } from '../program.ts';
import { VIDEO_TYPES } from './container.ts';
import { type FrameSearch, frameParameters, frameSearches } from './frame.ts';
import { probeVideo } from './probe.ts';

/** Draws a frame of a video with `ffmpeg`. `ffprobe`, if installed, tells how long the video is. */
export const videoDecoder: PreviewDecoder = {
  name: 'video',
  mimeTypes: VIDEO_TYPES,
  async find({ searchPath }) {
    if ((await findProgram('ffmpeg', searchPath)) !== null) return { isAvailable: true };
    return { isAvailable: false, reason: 'ffmpeg is not installed.' };
  },
  async draw(path, limits, signal) {
    const deadline = Date.now() + limits.timeoutMs * TIME_SHARE;
    const durationSeconds = await durationOf(path, limits, signal);
    let dark: Uint8Array | undefined;
    for (const search of frameSearches(durationSeconds)) {
      const frame = await drawFrame(path, search, { ...limits, deadline, signal });
      if (frame === 'late') break;
      if (frame === undefined) continue;
      if (!(await isDark(frame))) return { image: { bytes: frame } };
      dark ??= frame;
    }
    if (dark !== undefined) return { image: { bytes: dark } };
    if (Date.now() >= deadline) throw new PreviewError('The video takes too long to draw.');
    throw new PreviewError('The video has no frame that ffmpeg can decode.');
  },
};

/** The part of the time that programs may take: a frame that was found in it still has to be encoded. */
const TIME_SHARE = 0.9;

async function durationOf(
  path: string,
  { mimeType, timeoutMs }: DrawLimits,
  signal: AbortSignal,
): Promise<number | undefined> {
  try {
    const probe = await probeVideo({ path }, { mimeType, timeoutMs: timeoutMs / 4, signal });
    return probe.durationSeconds;
  } catch {
    signal.throwIfAborted();
    // Too slow, or not installed: the first frames will do.
    return undefined;
  }
}

interface FrameLimits extends DrawLimits {
  /** In milliseconds since 1970. */
  deadline: number;
  signal: AbortSignal;
}

/** A frame of the greatest size that is drawn, uncompressed. */
const FRAME_BYTES_MAX = 64 * 1024 * 1024;

/** ffmpeg and its libraries take 400 MiB of the address space before they decode anything. */
const LIBRARY_BYTES = 512 * 1024 * 1024;

/** Returns a PNG; undefined if there is no frame; `late` if the time is over. */
async function drawFrame(
  path: string,
  search: FrameSearch,
  { deadline, signal, ...limits }: FrameLimits,
): Promise<Uint8Array | undefined | 'late'> {
  const timeoutMs = deadline - Date.now();
  if (timeoutMs <= 0) return 'late';
  try {
    const { output, exitCode } = await runProgram('ffmpeg', frameParameters(path, search, limits), {
      timeoutMs,
      signal,
      outputBytesMax: FRAME_BYTES_MAX,
      memoryBytesMax: limits.memoryBytesMax + LIBRARY_BYTES,
    });
    // The output of a program that was killed may end anywhere.
    return output.length === 0 || exitCode === null ? undefined : output;
  } catch (error) {
    if (!(error instanceof ProgramLimitError)) throw error;
    return Date.now() >= deadline ? 'late' : undefined;
  }
}

/** The mean of the brightest channel, of 255, up to which a frame shows nothing. */
const DARK_MEAN_MAX = 16;
const DARK_DEVIATION_MAX = 16;

async function isDark(frame: Uint8Array): Promise<boolean> {
  const sharp = await loadSharp();
  const { channels } = await sharp(frame).stats();
  return channels.every(({ mean, stdev }) => mean <= DARK_MEAN_MAX && stdev <= DARK_DEVIATION_MAX);
}
