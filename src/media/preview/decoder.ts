/**
 * Draws files of some MIME types that browsers cannot show. A decoder is optional at run time: a package or a program
 * that it needs may be missing.
 *
 * Importing the module of a decoder must be cheap, because the server does: load packages in `find` and `draw`.
 */
export interface PreviewDecoder {
  /** Its name, which settings, `/readyz` and `storageUsage` show: `heic`. */
  readonly name: string;
  /** The MIME types of its files: `image/heic`, or `video/*` for all types that begin so. */
  readonly mimeTypes: readonly string[];
  /** Whether an operator must turn it on, because it is slow or starts a large program. (Default: false) */
  readonly isOffByDefault?: true;
  /** Finds out whether it can draw here, in the server: within a second, without drawing anything. Never throws. */
  find(host: PreviewHost): Promise<Availability>;
  /**
   * Draws a file, in the preview process: that draws one file at a time, and is killed when a limit is exceeded. A
   * decoder may keep the processor busy, run out of memory, or crash. Programs that it starts must stay in its process
   * group, which is killed with it. Throws PreviewError for a reason that users may see; any other error is reported
   * as a file that cannot be read.
   */
  draw(path: string, limits: DrawLimits, signal: AbortSignal): Promise<Drawing>;
}

/** Where a decoder runs. */
export interface PreviewHost {
  /** The directories of programs, as in `PATH`. In the preview process, `PATH` has this value. */
  searchPath: string;
}

/** Whether a decoder can draw. `reason`: a sentence for operators and users, without paths of the server. */
export type Availability = { isAvailable: true } | { isAvailable: false; reason: string };

/** The limits of a drawing. The preview process enforces them all, so a decoder only saves work by reading them. */
export interface DrawLimits {
  /** The MIME type of the file: one of the decoder's. */
  mimeType: string;
  /** Maximum length of the longer side, in pixels. A larger image is scaled down, if it can be decoded at all. */
  sideMax: number;
  /** Maximum number of pixels of the image in the file. */
  pixelsMax: number;
  /** Maximum time, in milliseconds. */
  timeoutMs: number;
  /** Maximum memory of the process, in bytes. */
  memoryBytesMax: number;
  /** An empty directory for temporary files. Deleted after the drawing, also if the process is killed. */
  directory: string;
}

/** What a decoder has drawn. */
export interface Drawing {
  image: DrawnImage;
  /** Number of pages of the file; absent: it has none, or they cannot be counted quickly. */
  pageCount?: number;
}

/** An image: a PNG, JPEG or WebP in memory or in `directory`, or its pixels, row by row from the top. */
export type DrawnImage = { bytes: Uint8Array } | { path: string } | Pixels;

/** Pixels of an image, 8 bits a channel, not premultiplied. */
export interface Pixels {
  pixels: Uint8Array;
  width: number;
  height: number;
  /** 3: RGB; 4: RGBA. */
  channels: 3 | 4;
  /** Bytes from one row to the next: a multiple of `channels`. (Default: the bytes of its pixels) */
  rowBytes?: number;
  /** The ICC profile of the pixels; absent: they are in sRGB. */
  iccProfile?: Uint8Array | undefined;
}

/** A file cannot be drawn. The message tells users why, in one sentence; a retry would not help. */
export class PreviewError extends Error {
  override readonly name: string = 'PreviewError';
}

/** A file contains nothing to draw, such as a sound without a cover. That is no failure of the file or of the decoder. */
export class NoImageError extends PreviewError {
  override readonly name = 'NoImageError';
}
