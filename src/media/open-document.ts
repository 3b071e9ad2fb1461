/**
 * The extension of each type that a ZIP may declare in its entry `mimetype`, without `application/`: OpenDocument 1.3
 * part 2 §3.3, EPUB OCF 3.3 §4.3, and the formats before and beside them.
 */
export const DECLARED_EXTENSIONS: Readonly<Record<string, string>> = {
  'epub+zip': 'epub',
  'vnd.oasis.opendocument.text': 'odt',
  'vnd.oasis.opendocument.text-template': 'ott',
  'vnd.oasis.opendocument.text-master': 'odm',
  'vnd.oasis.opendocument.text-web': 'oth',
  'vnd.oasis.opendocument.spreadsheet': 'ods',
  'vnd.oasis.opendocument.spreadsheet-template': 'ots',
  'vnd.oasis.opendocument.presentation': 'odp',
  'vnd.oasis.opendocument.presentation-template': 'otp',
  'vnd.oasis.opendocument.graphics': 'odg',
  'vnd.oasis.opendocument.graphics-template': 'otg',
  'vnd.oasis.opendocument.chart': 'odc',
  'vnd.oasis.opendocument.formula': 'odf',
  'vnd.oasis.opendocument.image': 'odi',
  'vnd.oasis.opendocument.base': 'odb',
  'vnd.oasis.opendocument.database': 'odb',
  'vnd.sun.xml.writer': 'sxw',
  'vnd.sun.xml.writer.template': 'stw',
  'vnd.sun.xml.writer.global': 'sxg',
  'vnd.sun.xml.calc': 'sxc',
  'vnd.sun.xml.calc.template': 'stc',
  'vnd.sun.xml.impress': 'sxi',
  'vnd.sun.xml.impress.template': 'sti',
  'vnd.sun.xml.draw': 'sxd',
  'vnd.sun.xml.draw.template': 'std',
  'vnd.sun.xml.math': 'sxm',
  'vnd.adobe.indesign-idml-package': 'idml',
};

/** The types of OpenDocument by extension, for files that do not declare their type where they should. */
export const OPEN_DOCUMENT_BY_EXTENSION: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(DECLARED_EXTENSIONS)
    .filter(([type]) => type.startsWith('vnd.oasis.'))
    .map(([type, extension]) => [extension, `application/${type}`]),
);
