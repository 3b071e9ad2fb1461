/** The place of a JPEG in a file. */
export interface Place {
  at: number;
  sizeBytes: number;
}

/** The previews in a camera's raw file. */
export interface RawPreviews {
  places: Place[];
  /** The EXIF orientation of the photo. */
  orientation: number;
}
