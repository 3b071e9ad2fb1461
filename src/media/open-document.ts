/**
 * The extension of each type that a ZIP may declare in its entry `mimetype`: OpenDocument 1.3
 * part 2 §3.3, EPUB OCF 3.3 §4.3, and the formats before and beside them.
 */
export const DECLARED_EXTENSIONS: Readonly<Record<string, string>> = {
  'application/epub+zip': 'epub',
  'application/vnd.oasis.opendocument.text': 'odt',
  'application/vnd.oasis.opendocument.text-template': 'ott',
  'application/vnd.oasis.opendocument.text-master': 'odm',
  'application/vnd.oasis.opendocument.text-web': 'oth',
  'application/vnd.oasis.opendocument.spreadsheet': 'ods',
  'application/vnd.oasis.opendocument.spreadsheet-template': 'ots',
  'application/vnd.oasis.opendocument.presentation': 'odp',
  'application/vnd.oasis.opendocument.presentation-template': 'otp',
  'application/vnd.oasis.opendocument.graphics': 'odg',
  'application/vnd.oasis.opendocument.graphics-template': 'otg',
  'application/vnd.oasis.opendocument.chart': 'odc',
  'application/vnd.oasis.opendocument.formula': 'odf',
  'application/vnd.oasis.opendocument.image': 'odi',
  'application/vnd.oasis.opendocument.base': 'odb',
  'application/vnd.oasis.opendocument.database': 'odb',
  'application/vnd.sun.xml.writer': 'sxw',
  'application/vnd.sun.xml.writer.template': 'stw',
  'application/vnd.sun.xml.writer.global': 'sxg',
  'application/vnd.sun.xml.calc': 'sxc',
  'application/vnd.sun.xml.calc.template': 'stc',
  'application/vnd.sun.xml.impress': 'sxi',
  'application/vnd.sun.xml.impress.template': 'sti',
  'application/vnd.sun.xml.draw': 'sxd',
  'application/vnd.sun.xml.draw.template': 'std',
  'application/vnd.sun.xml.math': 'sxm',
  'application/vnd.adobe.indesign-idml-package': 'idml',
  'application/vnd.recordare.musicxml': 'mxl',
  'application/x-krita': 'kra',
  'image/openraster': 'ora',
};

/** The types of OpenDocument, and of its predecessor, by extension, for files that do not declare their type where they should. */
export const OPEN_DOCUMENT_BY_EXTENSION: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(DECLARED_EXTENSIONS)
    .filter(([type]) => /vnd\.(?:oasis|sun)\./.test(type))
    .map(([type, extension]) => [extension, type]),
);
