import { OPEN_DOCUMENT_BY_EXTENSION } from '../../open-document.ts';

const OOXML = 'application/vnd.openxmlformats-officedocument.';

/** The extensions of the MIME types of Office Open XML. */
export const OOXML_EXTENSIONS: Readonly<Record<string, string>> = {
  [`${OOXML}wordprocessingml.document`]: 'docx',
  [`${OOXML}wordprocessingml.template`]: 'dotx',
  [`${OOXML}spreadsheetml.sheet`]: 'xlsx',
  [`${OOXML}spreadsheetml.template`]: 'xltx',
  [`${OOXML}presentationml.presentation`]: 'pptx',
  [`${OOXML}presentationml.template`]: 'potx',
  [`${OOXML}presentationml.slideshow`]: 'ppsx',
  'application/vnd.ms-word.document.macroenabled.12': 'docm',
  'application/vnd.ms-excel.sheet.macroenabled.12': 'xlsm',
  'application/vnd.ms-powerpoint.presentation.macroenabled.12': 'pptm',
};

/** The extensions of the MIME types that LibreOffice draws: it recognizes some only by their extension. */
export const OFFICE_EXTENSIONS: Readonly<Record<string, string>> = {
  ...OOXML_EXTENSIONS,
  'application/msword': 'doc',
  'application/vnd.ms-excel': 'xls',
  'application/vnd.ms-powerpoint': 'ppt',
  'application/rtf': 'rtf',
  ...Object.fromEntries(
    Object.entries(OPEN_DOCUMENT_BY_EXTENSION).map(([extension, type]) => [type, extension]),
  ),
};
