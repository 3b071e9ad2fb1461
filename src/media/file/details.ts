/** What a file says of itself. A property is absent if the file does not say it. */
export interface FileDetails {
  /** When it was taken, in milliseconds since 1970. */
  takenAt?: number;
  camera?: string;
  lens?: string;
  /** Exposure time and aperture: `1/250 s, f/2.8`. */
  exposure?: string;
  iso?: number;
  /** In degrees, north and east positive. */
  latitude?: number;
  longitude?: number;
  /** Above sea level. */
  altitudeM?: number;
  /** Size of the frames of a video in pixels, as displayed. */
  width?: number;
  height?: number;
  durationMs?: number;
  /** Frames per second. */
  frameRate?: number;
  videoCodec?: string;
  audioCodec?: string;
  /** Bits per second. */
  bitRate?: number;
  pageCount?: number;
  /** The beginning of its text. */
  textSnippet?: string;
  author?: string;
  copyright?: string;
}

/** Found values: undefined where there is none. */
export type Findings = { [Name in keyof FileDetails]: FileDetails[Name] | undefined };

/** Random access to the bytes of a file, wherever it is. */
export interface ByteSource {
  readonly sizeBytes: number;
  /** Returns the bytes from `position` on: `lengthBytes` of them, fewer only at the end of the file. */
  read(position: number, lengthBytes: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** The way in which a file is read for its details. */
export type DetailsKind = 'image' | 'audio' | 'video' | 'pdf';

/** Returns how files of a MIME type are read for their details; null for a type of which none are read. */
export function detailsKindOf(mimeType: string): DetailsKind | null {
  if (mimeType === 'application/pdf') return 'pdf';
  if (IMAGE.test(mimeType)) return 'image';
  const [top] = mimeType.split('/');
  return top === 'audio' || top === 'video' ? top : null;
}

/** Images with metadata that can be read. The raw formats of these cameras are TIFF inside. */
const IMAGE =
  /^image\/(?:jpeg|png|webp|gif|tiff|heic|heif|avif|jxl|x-(?:adobe-dng|canon-cr2|nikon-ne[fw]|nikon-nrw|sony-(?:arw|sr2|srf)|samsung-srw|pentax-pef|hasselblad-(?:3fr|fff)|kodak-(?:kdc|dcr|k25)|epson-erf|mamiya-mef|leaf-mos|phaseone-iiq|leica-rwl))$/;
