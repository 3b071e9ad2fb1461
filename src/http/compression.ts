/** Tells whether content of a MIME type becomes smaller by compression: most media are compressed already. */
export function isCompressible(mimeType: string): boolean {
  return COMPRESSIBLE.test(mimeType);
}

const COMPRESSIBLE =
  /^(text\/(?!event-stream)|application\/(.+\+)?(json|xml|javascript|graphql|rtf|wasm)\b|image\/(svg\+xml|bmp|x-icon|vnd\.microsoft\.icon)|font\/(ttf|otf)|audio\/(x-)?wav)/;
