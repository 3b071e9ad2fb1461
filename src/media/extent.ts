/** What the structure of an image says about its pixels, without decoding them. */
export interface Extent {
  /** The structure is complete, as far as decoders need it. */
  isWhole: boolean;
  /**
   * The file has at least as many bytes as the pixels need at the best compression. Always true for lossless WebP, AVIF
   * and HEIC, in which a few bytes can hold any number of pixels.
   */
  hasRoom: boolean;
}
