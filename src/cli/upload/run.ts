import { createHash } from 'node:crypto';
import type { UploadedMedia, UploadedMediaType } from '../../client/operation.ts';
import type { Md5 } from '../../client/upload/blob-md5.ts';
import type { UploadOptions } from '../../client/upload/chunk.ts';
import { createUploadClient, type UploadClient } from '../../client/upload/upload-client.ts';
import { UploadError } from '../../client/upload/upload-error.ts';
import { CommandError, createFailureList, toCommandError } from '../failure.ts';
import { sendBatch } from './batch.ts';
import { findDestination } from './destination.ts';
import { type LocalFile, openLocalFiles } from './local-file.ts';

/** The options of the command. */
export interface UploadFlags {
  folder?: string;
  tag: string[];
  title?: string;
  type?: string;
  resume?: string;
  url: string;
  key?: string;
  json?: true;
}

/** Uploads the files. Throws CommandError if any of them failed. */
export async function runUpload(
  paths: readonly string[],
  flags: UploadFlags,
  credential: string | undefined,
): Promise<void> {
  const url = parseUrl(flags.url);
  if (paths.length > 1 && (flags.title !== undefined || flags.resume !== undefined))
    throw new CommandError('--title and --resume need exactly one file.');
  const failures = createFailureList(paths.length);
  const files = await openLocalFiles(paths, failures);
  if (files.length > 0) {
    const onStored = flags.json ? printJson : printLine;
    try {
      const client = createUploadClient({ url, credential, createMd5, canStream: true });
      await client.check();
      const options = await toOptions(client, flags);
      await sendBatch(client, { files, options, onStored, failures });
    } catch (error) {
      throw error instanceof UploadError ? toCommandError(error, url) : error;
    }
  }
  failures.throwIfAny();
}

function parseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username || url.password)
    throw new CommandError(
      `--url: expected an http or https URL without user and password, got ${text}`,
    );
  return text.replace(/\/+$/, '').replace(/\/graphql$/, '');
}

async function toOptions(client: UploadClient, flags: UploadFlags): Promise<UploadOptions> {
  const { title, type, resume: uploadId } = flags;
  const mediaType = type?.toUpperCase().replace('-', '_') as UploadedMediaType | undefined;
  return { ...(await findDestination(client, flags)), title, type: mediaType, uploadId };
}

/** Creates an MD5 seven times as fast as the client's own, which also runs in browsers. */
function createMd5(): Md5 {
  const hash = createHash('md5');
  return {
    append: (bytes) => hash.update(bytes),
    end: () => hash.digest('hex'),
  };
}

function printLine({ path }: LocalFile, { id, url }: UploadedMedia): void {
  console.log([id, url, path].join('\t'));
}

function printJson({ path }: LocalFile, media: UploadedMedia): void {
  console.log(JSON.stringify({ path, ...media }));
}
