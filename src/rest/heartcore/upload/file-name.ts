import type { InputIssue } from '../../../domain/error.ts';
import type { NewOriginal } from '../../../domain/upload/original.ts';
import type { Policy } from '../../../domain/upload/policy.ts';
import { withFilename } from '../../../domain/upload/staging.ts';
import { cleanFilename, fileExtension } from '../../../lib/filename.ts';
import type { ItemBody, SentFile } from '../body.ts';
import { issueOf } from '../error.ts';
import { type FileValue, noteMissing, refuse } from '../tree/item-input.ts';
import type { ItemType } from '../tree/media-type.ts';

/** Contract §5.10: extensions that Umbraco always rejects. */
const FORBIDDEN = [
  'ashx',
  'aspx',
  'ascx',
  'config',
  'cshtml',
  'vbhtml',
  'asmx',
  'air',
  'axd',
  'xamlx',
];

/** Extensions for files without a name, by the content type of the part. */
const EXTENSIONS: Readonly<Record<string, string>> = {
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/gif': 'gif',
  'image/webp': 'webp',
  'image/avif': 'avif',
  'image/svg+xml': 'svg',
  'video/mp4': 'mp4',
  'video/webm': 'webm',
  'video/ogg': 'ogv',
  'audio/mpeg': 'mp3',
  'audio/ogg': 'oga',
  'audio/webm': 'weba',
  'application/pdf': 'pdf',
  'text/plain': 'txt',
};

/** The destination of a file. */
export interface FileTarget {
  type: ItemType;
  policy: Policy;
  /** The file's value in the JSON. */
  value: FileValue | null;
  /** Path of the item's current file, which cannot be the name of another. */
  stored: string | null;
}

/**
 * Takes the file out of a body and gives it its name. Throws InvalidInputError for all faults of
 * the body, `issues` included; the body keeps the file then.
 */
export function takeReplacement(
  body: ItemBody,
  { type, policy, value, stored }: FileTarget,
  issues: InputIssue[],
): NewOriginal {
  const { file } = body;
  if (file === null || file === 'empty') {
    const message = file === null ? 'Send a file as a part of a multipart body.' : EMPTY;
    noteMissing('umbracoFile', message, issues);
    refuse(issues);
    throw new Error('An item without a file must be refused.');
  }
  const src = value?.src ?? null;
  const filename = chooseFilename(src === stored ? null : src, file);
  const objection = filename === '' ? null : objectionTo(filename, type.file?.extensions ?? null);
  if (objection !== null) issues.push(issueOf('umbracoFile', objection));
  refuse(issues);
  body.takeFile();
  return { staged: withFilename(file.staged, filename), policy };
}

const EMPTY = 'The file is empty.';

/**
 * Returns the name of a file. Contract §6: the name in the JSON wins over the part's; `upload`, with the extension of
 * its content type, comes last. Empty: the content decides.
 */
function chooseFilename(named: string | null, { filename, mediaType }: SentFile): string {
  const extension = EXTENSIONS[mediaType ?? ''];
  const unnamed = extension === undefined ? '' : `upload.${extension}`;
  return cleanFilename(named ?? '') || cleanFilename(filename ?? '') || unnamed;
}

/** Returns why a name is rejected (contract §5.10), or null. */
function objectionTo(filename: string, allowed: readonly string[] | null): string | null {
  const extension = fileExtension(filename);
  if (extension === null) return 'The file name must have an extension.';
  if (FORBIDDEN.includes(extension))
    return `A file with the extension .${extension} is not allowed.`;
  if (allowed === null || allowed.includes(extension)) return null;
  return `Expected a file with the extension ${allowed.map((one) => `.${one}`).join(', ')}.`;
}
