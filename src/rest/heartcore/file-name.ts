import type { InputIssue } from '../../domain/error.ts';
import type { NewOriginal } from '../../domain/upload/original.ts';
import type { Policy } from '../../domain/upload/policy.ts';
import { withFilename } from '../../domain/upload/staging.ts';
import { cleanFilename, fileExtension } from '../../lib/filename.ts';
import type { ItemBody, SentFile } from './body.ts';
import { issueOf } from './error.ts';
import { type FileValue, noteMissing, refuse } from './item-input.ts';
import type { ItemType } from './media-type.ts';

/** Contract §5.10: what Umbraco never takes. */
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

/** By the content type of the part, for a file that nobody has named. */
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

/** What a file is to become. */
export interface FileTarget {
  type: ItemType;
  policy: Policy;
  /** What the JSON says of it. */
  value: FileValue | null;
  /** Path of the file that the item has, which is no name for another one. */
  stored: string | null;
}

/**
 * Takes the file out of a body, under the name that it shall have. Throws InvalidInputError for whatever is
 * wrong with the body, `issues` included: the file is still the body's then.
 */
export function takeReplacement(
  body: ItemBody,
  { type, policy, value, stored }: FileTarget,
  issues: InputIssue[],
): NewOriginal {
  const { file } = body;
  if (file === null || file === 'empty') {
    const message = file === null ? 'A file is required, as a part of a multipart body.' : EMPTY;
    noteMissing('umbracoFile', message, issues);
    refuse(issues);
    throw new Error('An item without a file has not been refused.');
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
 * Contract §6: the name in the JSON goes before the part's, and `upload` with the extension of its content
 * type is the last. Empty: the content is to say.
 */
function chooseFilename(named: string | null, { filename, mediaType }: SentFile): string {
  const extension = EXTENSIONS[mediaType ?? ''];
  const unnamed = extension === undefined ? '' : `upload.${extension}`;
  return cleanFilename(named ?? '') || cleanFilename(filename ?? '') || unnamed;
}

/** What speaks against a name, contract §5.10, in words for people; null: nothing. */
function objectionTo(filename: string, allowed: readonly string[] | null): string | null {
  const extension = fileExtension(filename);
  if (extension === null) return 'The file name needs an extension.';
  if (FORBIDDEN.includes(extension))
    return `A file with the extension .${extension} is not allowed.`;
  if (allowed === null || allowed.includes(extension)) return null;
  return `Expected a file with the extension ${allowed.map((one) => `.${one}`).join(', ')}.`;
}
