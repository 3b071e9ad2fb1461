import { inputOptions } from './container.ts';

/** Where to look for a frame in a video, and which one to take. */
export interface FrameSearch {
  startSeconds: number;
  /** `typical`: the most typical of the next frames; `bright`: the first frame that is not black. */
  choice: 'typical' | 'bright';
}

/**
 * Returns where to look for a frame that shows something, in order: at a tenth of the video, in its middle, and at its
 * start, which exists even if the duration is unknown or wrong.
 */
export function frameSearches(durationSeconds: number | undefined): FrameSearch[] {
  const atStart: FrameSearch[] = [
    { startSeconds: 0, choice: 'bright' },
    { startSeconds: 0, choice: 'typical' },
  ];
  if (durationSeconds === undefined) return atStart;
  const at = [0.1, 0.5].map((part): FrameSearch => {
    return { startSeconds: part * durationSeconds, choice: 'typical' };
  });
  return [...at, ...atStart];
}

/** Number of frames of which the typical one is taken: every fifth of about two seconds. All of them are in memory. */
const TYPICAL_FRAMES = 12;

/** Maximum duration that is searched for a frame, in seconds. */
const BRIGHT_SECONDS = 60;

const NOT_BLACK =
  'blackframe=amount=0,metadata=select:key=lavfi.blackframe.pblack:value=90:function=less';

/** The filters before and after frames are scaled down. */
const FILTERS: Readonly<Record<FrameSearch['choice'], readonly [before: string, after: string]>> = {
  typical: ["select='not(mod(n,5))'", `thumbnail=${TYPICAL_FRAMES}`],
  bright: ['null', NOT_BLACK],
};

/** The limits of a frame that ffmpeg enforces. */
interface FrameLimits {
  mimeType: string;
  /** Maximum length of the longer side, in pixels. */
  sideMax: number;
  /** Maximum number of pixels of a frame in the file. */
  pixelsMax: number;
}

/** Returns the parameters with which ffmpeg writes one frame as PNG to its standard output. */
export function frameParameters(
  path: string,
  { startSeconds, choice }: FrameSearch,
  { mimeType, sideMax, pixelsMax }: FrameLimits,
): string[] {
  const [before, after] = FILTERS[choice];
  const fit = `w='min(${sideMax},iw)':h='min(${sideMax},ih)':force_original_aspect_ratio=decrease`;
  return [
    ...['-nostdin', '-hide_banner', '-v', 'error'],
    ...inputOptions(mimeType, 'file', pixelsMax),
    ...(startSeconds > 0 ? ['-ss', startSeconds.toFixed(3)] : []),
    ...['-t', String(BRIGHT_SECONDS), '-i', `file:${path}`],
    // `V`: a cover is not a frame.
    ...['-map', '0:V:0', '-an', '-sn', '-dn', '-frames:v', '1'],
    // Square pixels first, then small ones, so that the choice among many costs little.
    ...['-vf', `${before},scale=w='max(1,trunc(iw*sar))':h=ih,scale=${fit},setsar=1,${after}`],
    ...['-filter_threads', '1', '-threads', '1', '-c:v', 'png', '-f', 'image2pipe', 'pipe:1'],
  ];
}
