/**
 * The demuxers of ffmpeg for MIME types of videos. None of them opens other files, as those of playlists do.
 */
const DEMUXERS: Readonly<Record<string, string>> = {
  'video/mp4': 'mov',
  'video/quicktime': 'mov',
  'video/3gpp': 'mov',
  'video/3gpp2': 'mov',
  'video/webm': 'matroska',
  'video/matroska': 'matroska',
  'video/x-matroska': 'matroska',
  'video/vnd.avi': 'avi',
  'video/x-msvideo': 'avi',
  'video/x-ms-wmv': 'asf',
  'video/x-ms-asf': 'asf',
  'video/x-flv': 'flv',
  'video/mp2t': 'mpegts',
  'video/mpeg': 'mpeg',
  'video/ogg': 'ogg',
  'application/mxf': 'mxf',
};

/** The MIME types of the videos that ffmpeg may read. */
export const VIDEO_TYPES: readonly string[] = Object.keys(DEMUXERS);

/** The first bytes of containers, in hex. */
const SIGNATURES: readonly [signature: RegExp, mimeType: string][] = [
  [/^52494646.{8}41564920/, 'video/vnd.avi'],
  [/^3026b2758e66cf11/, 'video/x-ms-wmv'],
  [/^464c5601/, 'video/x-flv'],
  [/^000001ba/, 'video/mpeg'],
];

/** Returns the MIME type of a container that hardly any program but ffmpeg reads; undefined for any other. */
export function videoTypeOf(head: Uint8Array): string | undefined {
  const start = Buffer.from(head.subarray(0, 12)).toString('hex');
  return SIGNATURES.find(([signature]) => signature.test(start))?.[1];
}

/** Maximum number of pixels of a frame: 8192 × 8192. */
const PIXELS_MAX = 67_108_864;

/**
 * Returns the options of ffmpeg and ffprobe for an input: the demuxer of its MIME type and no other, no protocol but
 * `protocol`, and bounded memory. ffmpeg would otherwise take any file for a playlist that looks like one, and fetch what
 * it names: from the network, and from this server's disk. Throws a RangeError for a type that is not in `VIDEO_TYPES`.
 */
export function inputOptions(
  mimeType: string,
  protocol: 'file' | 'pipe',
  pixelsMax = PIXELS_MAX,
): string[] {
  const demuxer = DEMUXERS[mimeType];
  if (demuxer === undefined) throw new RangeError(`No demuxer reads ${mimeType}.`);
  return [
    ...['-protocol_whitelist', protocol],
    // Also keeps a container from handing its subtitles to the demuxer of playlists.
    ...['-format_whitelist', demuxer, '-f', demuxer],
    ...['-probesize', '5000000', '-analyzeduration', '5000000'],
    ...['-max_pixels', String(Math.min(pixelsMax, PIXELS_MAX)), '-threads', '1'],
  ];
}
