import { fileExtension } from '../lib/filename.ts';
import { isReadable } from './image-header.ts';
import { OPEN_DOCUMENT_BY_EXTENSION } from './open-document.ts';

/**
 * The category of a MIME type. `image` covers the formats whose images can be read here; any other image is `other`.
 * `vector` is SVG only. `document` covers formats that people write
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
  /** Present for text that begins as a script does: with `#!`, `<?php`, `<%` or `@echo off`. */
  isScript?: true;
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
  const family = FAMILY[proved] ?? {};
  const selected = Object.hasOwn(family, named) ? family[named] : undefined;
  const mimeType = selected ?? proved;
  const isOwn = selected !== undefined || EXTENSIONS[mimeType]?.split(' ').includes(named) === true;
  return { mimeType, extension: isOwn ? named : usual, kind: kindOf(mimeType) };
}

function kindOf(mimeType: string): Kind {
  if (mimeType === 'image/svg+xml') return 'vector';
  if (mimeType === 'application/pdf') return 'pdf';
  if (mimeType === 'text/html') return 'other';
  if (DOCUMENT.test(mimeType)) return 'document';
  if (isReadable(mimeType)) return 'image';
  const [top] = mimeType.split('/');
  return top === 'video' || top === 'audio' ? top : 'other';
}

const DOCUMENT =
  /^(?:text\/.*|application\/(?:json|(?:geo|ld|manifest|x-ipynb)\+json|jsonl|x-ndjson|x-subrip|yaml|rtf|msword|epub\+zip|vnd\.(?:oasis\.opendocument|openxmlformats-officedocument|ms-(?:word|excel|powerpoint))(?:\..*)?))$/;

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

/** Types of Office files with macros. */
const MACRO = {
  docm: 'application/vnd.ms-word.document.macroenabled.12',
  dotm: 'application/vnd.ms-word.template.macroenabled.12',
  xlsm: 'application/vnd.ms-excel.sheet.macroenabled.12',
  xltm: 'application/vnd.ms-excel.template.macroenabled.12',
  xlam: 'application/vnd.ms-excel.addin.macroenabled.12',
  pptm: 'application/vnd.ms-powerpoint.presentation.macroenabled.12',
  potm: 'application/vnd.ms-powerpoint.template.macroenabled.12',
  ppsm: 'application/vnd.ms-powerpoint.slideshow.macroenabled.12',
  ppam: 'application/vnd.ms-powerpoint.addin.macroenabled.12',
} as const;

/** Types of JSON by extension. */
export const JSON_TYPES: Readonly<Record<string, string>> = {
  ...sameType('application/json', 'json map har topojson'),
  ipynb: 'application/x-ipynb+json',
  geojson: 'application/geo+json',
  jsonld: 'application/ld+json',
  webmanifest: 'application/manifest+json',
  jsonl: 'application/jsonl',
  ndjson: 'application/x-ndjson',
};

/** Types of text that only the name tells from plain text. */
const TEXT_BY_EXTENSION: Readonly<Record<string, string>> = {
  csv: 'text/csv',
  tsv: 'text/tab-separated-values',
  ...sameType('text/markdown', 'md markdown'),
  ...sameType('application/yaml', 'yaml yml'),
  srt: 'application/x-subrip',
  ...sameType('text/x-ssa', 'ass ssa'),
};

/**
 * The types that text with a tag at its beginning has under the name of another text: of notes, tables, data, subtitles,
 * settings, source code and templates. The name is the safer of the two, because no browser runs text of these types.
 */
const INERT_BY_EXTENSION: Readonly<Record<string, string>> = {
  ...sameType(
    'text/plain',
    'txt text log asc nfo rst adoc org tex bib po pot diff patch sub sbv lrc ini cfg conf cnf env properties toml ' +
      'lock tab dat lst sql graphql gql proto css scss sass less styl js mjs cjs ts tsx mts cts jsx vue svelte astro ' +
      'mdx coffee py rb pl pm lua go rs c h cc cpp cxx hpp cs java kt scala swift m dart r jl sh bash zsh fish bat ' +
      'cmd ps1 vbs php phtml erb ejs hbs mustache twig liquid jinja jinja2 j2 njk tmpl tpl jsp asp aspx cshtml cfm',
  ),
  ...TEXT_BY_EXTENSION,
  ...JSON_TYPES,
  vtt: 'text/vtt',
  ics: 'text/calendar',
  vcf: 'text/vcard',
};

/** Formats of cameras, which are TIFF inside. Their first image is a preview. */
const RAW_BY_EXTENSION: Readonly<Record<string, string>> = {
  ...{ dng: 'image/x-adobe-dng', cr2: 'image/x-canon-cr2', nef: 'image/x-nikon-nef' },
  ...{ nrw: 'image/x-nikon-nrw', arw: 'image/x-sony-arw', sr2: 'image/x-sony-sr2' },
  ...{ srf: 'image/x-sony-srf', srw: 'image/x-samsung-srw', pef: 'image/x-pentax-pef' },
  ...{ '3fr': 'image/x-hasselblad-3fr', fff: 'image/x-hasselblad-fff' },
  ...{ kdc: 'image/x-kodak-kdc', dcr: 'image/x-kodak-dcr', k25: 'image/x-kodak-k25' },
  ...{ erf: 'image/x-epson-erf', mef: 'image/x-mamiya-mef', mos: 'image/x-leaf-mos' },
  ...{ iiq: 'image/x-phaseone-iiq', rwl: 'image/x-leica-rwl' },
};

function sameType(mimeType: string, extensions: string): Readonly<Record<string, string>> {
  return Object.fromEntries(extensions.split(' ').map((extension) => [extension, mimeType]));
}

/**
 * The family of each proved type: the types that an extension in the filename may select. Every
 * member is as harmless as the proved type.
 */
export const FAMILY: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'text/plain': TEXT_BY_EXTENSION,
  'text/html': INERT_BY_EXTENSION,
  'image/svg+xml': INERT_BY_EXTENSION,
  'application/xml': INERT_BY_EXTENSION,
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
  'application/x-ole-encrypted': {
    docx: `${OOXML}wordprocessingml.document`,
    xlsx: `${OOXML}spreadsheetml.sheet`,
    pptx: `${OOXML}presentationml.presentation`,
  },
  'application/vnd.visio': { vst: 'application/vnd.visio', vss: 'application/vnd.visio' },
  'application/x-hwp': { hwt: 'application/x-hwp' },
  [`${OOXML}wordprocessingml.document`]: {
    dotx: `${OOXML}wordprocessingml.template`,
    docm: MACRO.docm,
    dotm: MACRO.dotm,
  },
  [MACRO.docm]: { dotm: MACRO.dotm },
  [`${OOXML}spreadsheetml.sheet`]: {
    xltx: `${OOXML}spreadsheetml.template`,
    xlsm: MACRO.xlsm,
    xltm: MACRO.xltm,
    xlam: MACRO.xlam,
  },
  [MACRO.xlsm]: { xltm: MACRO.xltm, xlam: MACRO.xlam },
  [MACRO.pptm]: { potm: MACRO.potm, ppsm: MACRO.ppsm, ppam: MACRO.ppam },
  'application/vnd.ms-visio.drawing': {
    vsdm: 'application/vnd.ms-visio.drawing.macroenabled.12',
    vstx: 'application/vnd.ms-visio.template',
    vstm: 'application/vnd.ms-visio.template.macroenabled.12',
    vssx: 'application/vnd.ms-visio.stencil',
    vssm: 'application/vnd.ms-visio.stencil.macroenabled.12',
  },
  'application/vnd.ms-xpsdocument': { oxps: 'application/oxps' },
  'application/vnd.apple.pages': {
    numbers: 'application/vnd.apple.numbers',
    key: 'application/vnd.apple.keynote',
  },
  'application/vnd.oasis.opendocument.text': OPEN_DOCUMENT_BY_EXTENSION,
  'image/tiff': RAW_BY_EXTENSION,
  // Two bytes of zeros and the number of an icon are also the beginning of a TGA.
  'image/x-icon': { tga: 'image/x-tga' },
  'application/zip': {
    cbz: 'application/vnd.comicbook+zip',
    ipa: 'application/x-ios-app',
    xpi: 'application/x-xpinstall',
  },
  // Archives of maps and of models for other programs hold such entries as well.
  'application/vnd.google-earth.kmz': { zip: 'application/zip' },
  'model/vnd.usdz+zip': { zip: 'application/zip' },
  'audio/mpeg': { flac: 'audio/flac', aac: 'audio/aac' },
  [`${OOXML}presentationml.presentation`]: {
    potx: `${OOXML}presentationml.template`,
    ppsx: `${OOXML}presentationml.slideshow`,
    pptm: MACRO.pptm,
    potm: MACRO.potm,
    ppsm: MACRO.ppsm,
    ppam: MACRO.ppam,
  },
  // Most encoders write the general brand even into files that hold only sound.
  'video/mp4': { m4a: 'audio/mp4', m4b: 'audio/mp4' },
  'video/x-ms-wmv': { asf: 'video/x-ms-asf' },
  'audio/x-ms-wma': { asf: 'audio/x-ms-asf' },
};

/**
 * The valid extensions of types that have several. Every other type has only the extension that its
 * detection returned.
 */
export const EXTENSIONS: Readonly<Record<string, string>> = {
  'image/jpeg': 'jpg jpeg jpe jfif',
  'image/png': 'png apng',
  'image/tiff': 'tif tiff',
  'image/heic': 'heic heif hif',
  'image/heif': 'heif heic hif',
  'image/bmp': 'bmp dib',
  'image/x-portable-bitmap': 'pbm pnm',
  'image/x-portable-graymap': 'pgm pnm',
  'image/x-portable-pixmap': 'ppm pnm',
  'image/vnd.radiance': 'hdr rgbe',
  'image/fits': 'fits fit fts',
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
  'application/gzip': 'gz tgz svgz',
  'application/vnd.apple.mpegurl': 'm3u8 m3u',
  'application/vnd.visio': 'vsd vst vss',
  'text/x-ssa': 'ass ssa',
  'audio/aac': 'aac',
  'audio/flac': 'flac',
  'image/heic-sequence': 'heics heic',
  'image/heif-sequence': 'heifs heif hif',
  'audio/x-ms-wma': 'wma',
  'video/x-ms-wmv': 'wmv',
  [`${OOXML}wordprocessingml.template`]: 'dotx',
  [`${OOXML}spreadsheetml.template`]: 'xltx',
  [`${OOXML}presentationml.template`]: 'potx',
  [`${OOXML}presentationml.slideshow`]: 'ppsx',
};
