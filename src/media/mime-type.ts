import { fileExtension } from '../lib/filename.ts';

/**
 * The category of a MIME type. `vector` is SVG only. `document` covers formats that people write
 * and read: office formats, RTF, EPUB and plain text of any kind. `other` covers active content
 * that is not an image (HTML, XML, scripts), archives and programs.
 */
type Kind = 'image' | 'vector' | 'video' | 'audio' | 'pdf' | 'document' | 'other';

/** The type of a file, detected from its content. */
export interface Sniffed {
  /** MIME type without parameters. */
  mimeType: string;
  /**
   * The extension in the filename when it is valid for the type (`jpeg`), otherwise the type's
   * usual one (`jpg`); null for an unknown type.
   */
  extension: string | null;
  kind: Kind;
}

/** The type of a file whose format is unknown. */
export const UNKNOWN: Sniffed = {
  mimeType: 'application/octet-stream',
  extension: null,
  kind: 'other',
};

/**
 * Returns the type of a file whose content proves the MIME type `content`; the usual extension of
 * that type is `usual`. The filename only selects among the types that the content cannot
 * distinguish (see `FAMILY`), and among the extensions of the selected type.
 */
export function describeType(content: string, usual: string, filename = ''): Sniffed {
  const named = fileExtension(filename) ?? usual;
  const proved = SYNONYM[content] ?? content;
  const mimeType = FAMILY[proved]?.[named] ?? proved;
  const isOwn = EXTENSIONS[mimeType]?.split(' ').includes(named) ?? false;
  return { mimeType, extension: isOwn ? named : usual, kind: kindOf(mimeType) };
}

function kindOf(mimeType: string): Kind {
  if (mimeType === 'image/svg+xml') return 'vector';
  if (mimeType === 'application/pdf') return 'pdf';
  if (mimeType === 'text/html') return 'other';
  if (DOCUMENT.test(mimeType)) return 'document';
  const [top] = mimeType.split('/');
  return top === 'image' || top === 'video' || top === 'audio' ? top : 'other';
}

const DOCUMENT =
  /^(?:text\/.*|application\/(?:json|yaml|rtf|msword|epub\+zip|vnd\.(?:oasis\.opendocument|openxmlformats-officedocument|ms-(?:word|excel|powerpoint))(?:\..*)?))$/;

/** Other names of a format, mapped to the name that players and browsers know. */
const SYNONYM: Readonly<Record<string, string>> = {
  // Every PNG reader accepts an animated PNG.
  'image/apng': 'image/png',
  'audio/ogg; codecs=opus': 'audio/ogg',
  'audio/x-m4a': 'audio/mp4',
  'video/x-m4v': 'video/mp4',
  'video/MP1S': 'video/mpeg',
  'video/MP2P': 'video/mpeg',
};

const OOXML = 'application/vnd.openxmlformats-officedocument.';

/**
 * The family of each proved type: the types that an extension in the filename may select. Every
 * member is as harmless as the proved type.
 */
const FAMILY: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'text/plain': {
    csv: 'text/csv',
    tsv: 'text/tab-separated-values',
    md: 'text/markdown',
    markdown: 'text/markdown',
    yaml: 'application/yaml',
    yml: 'application/yaml',
  },
  'application/x-cfb': {
    doc: 'application/msword',
    dot: 'application/msword',
    xls: 'application/vnd.ms-excel',
    xlt: 'application/vnd.ms-excel',
    ppt: 'application/vnd.ms-powerpoint',
    pps: 'application/vnd.ms-powerpoint',
    pot: 'application/vnd.ms-powerpoint',
    msg: 'application/vnd.ms-outlook',
  },
  [`${OOXML}wordprocessingml.document`]: { dotx: `${OOXML}wordprocessingml.template` },
  [`${OOXML}spreadsheetml.sheet`]: { xltx: `${OOXML}spreadsheetml.template` },
  [`${OOXML}presentationml.presentation`]: {
    potx: `${OOXML}presentationml.template`,
    ppsx: `${OOXML}presentationml.slideshow`,
  },
  // Most encoders write the general brand even into files that hold only sound.
  'video/mp4': { m4a: 'audio/mp4', m4b: 'audio/mp4' },
  'application/vnd.ms-asf': { wma: 'audio/x-ms-wma', wmv: 'video/x-ms-wmv' },
};

/**
 * The valid extensions of types that have several. Every other type has only the extension that its
 * detection returned.
 */
const EXTENSIONS: Readonly<Record<string, string>> = {
  'image/jpeg': 'jpg jpeg jpe jfif',
  'image/png': 'png apng',
  'image/tiff': 'tif tiff',
  'image/heic': 'heic heif hif',
  'image/heif': 'heif heic hif',
  'image/bmp': 'bmp dib',
  'video/mp4': 'mp4 m4v f4v',
  'video/quicktime': 'mov qt',
  'video/mpeg': 'mpg mpeg vob',
  'video/mp2t': 'mts m2ts ts',
  'video/ogg': 'ogv ogm ogg',
  'audio/ogg': 'ogg oga opus spx',
  'audio/webm': 'weba webm',
  'audio/mp4': 'm4a m4b mp4',
  'audio/aiff': 'aif aiff aifc',
  'audio/midi': 'mid midi',
  'text/plain': 'txt text log asc',
  'text/html': 'html htm xhtml xht',
  'text/csv': 'csv',
  'text/markdown': 'md markdown',
  'text/tab-separated-values': 'tsv',
  'application/yaml': 'yaml yml',
  'application/xml': 'xml xsd rss atom kml gpx',
  'application/msword': 'doc dot',
  'application/vnd.ms-excel': 'xls xlt',
  'application/vnd.ms-powerpoint': 'ppt pps pot',
  'application/vnd.ms-outlook': 'msg pst',
  'application/gzip': 'gz tgz',
  'audio/x-ms-wma': 'wma',
  'video/x-ms-wmv': 'wmv',
  [`${OOXML}wordprocessingml.template`]: 'dotx',
  [`${OOXML}spreadsheetml.template`]: 'xltx',
  [`${OOXML}presentationml.template`]: 'potx',
  [`${OOXML}presentationml.slideshow`]: 'ppsx',
};
