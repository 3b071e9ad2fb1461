/**
 * Returns the name of a file whose name is only the extension of a medium, `.png`: `image.png`, as a file without any
 * name is called. Returns any other name as it is: `.gitignore` and `.env` are whole names.
 */
export function withStem(name: string): string {
  const stem = name.startsWith('.') ? STEMS.get(name.slice(1).toLowerCase()) : undefined;
  return stem === undefined ? name : stem + name;
}

const EXTENSIONS: Readonly<Record<string, string>> = {
  image: 'jpg jpeg jpe jfif png apng gif webp avif heic heif hif tif tiff bmp',
  vector: 'svg',
  video: 'mp4 m4v mov qt webm ogv mkv avi mpg mpeg wmv flv 3gp 3g2 mts m2ts',
  audio: 'mp3 m4a m4b aac wav flac ogg oga opus weba aif aiff wma mid midi amr',
  pdf: 'pdf',
  document: 'doc docx xls xlsx ppt pptx odt ods odp rtf epub txt csv md',
};

/** The first part of a name, by extension. */
const STEMS = new Map(
  Object.entries(EXTENSIONS).flatMap(([stem, extensions]) =>
    extensions.split(' ').map((extension) => [extension, stem] as const),
  ),
);
