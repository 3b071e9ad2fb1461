import { fileExtension } from '../lib/filename.ts';

/**
 * What a type is filed under. `vector` is SVG only. `document` is what people write and read:
 * office formats, RTF, EPUB and plain text of any kind. Active content that is no picture (HTML,
 * XML, scripts) is `other`, as are archives and programs.
 */
type Kind = 'image' | 'vector' | 'video' | 'audio' | 'pdf' | 'document' | 'other';

/** What the bytes of a file are. */
export interface Sniffed {
  /** Without parameters. */
  mimeType: string;
  /**
   * The file name's own where it is one the type goes by (`jpeg`), else the type's usual one
   * (`jpg`).
   */
  extension: string | null;
  kind: Kind;
}

/** What bytes are that nothing is known about. */
export const UNKNOWN: Sniffed = {
  mimeType: 'application/octet-stream',
  extension: null,
  kind: 'other',
};

/**
 * The answer for a type that the content has proved, and its usual extension. The name chooses
 * among the members of the type's family, which the content cannot tell apart, and among the type's
 * extensions; it never leaves the family.
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

/** Names of one format: the one that players and browsers know is used. */
const SYNONYM: Readonly<Record<string, string>> = {
  // A PNG with an animation is a PNG to everything that reads PNG.
  'image/apng': 'image/png',
  'audio/ogg; codecs=opus': 'audio/ogg',
  'audio/x-m4a': 'audio/mp4',
  'video/x-m4v': 'video/mp4',
  'video/MP1S': 'video/mpeg',
  'video/MP2P': 'video/mpeg',
};

const OOXML = 'application/vnd.openxmlformats-officedocument.';

/**
 * By the type that the content proves: what a name's extension may make of it. All members are as
 * harmless as it.
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
  // Most encoders write the general brand into files with sound only, too.
  'video/mp4': { m4a: 'audio/mp4', m4b: 'audio/mp4' },
  'application/vnd.ms-asf': { wma: 'audio/x-ms-wma', wmv: 'video/x-ms-wmv' },
};

/**
 * The extensions of the types that go by several; the others have the one of whoever recognised the
 * content.
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
