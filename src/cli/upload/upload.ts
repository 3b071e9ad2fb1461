import { createHash } from 'node:crypto';
import { Command, Option } from 'commander';
import type { UploadedMedia, UploadedMediaType } from '../../client/operation.ts';
import type { Md5 } from '../../client/upload/blob-md5.ts';
import type { UploadOptions } from '../../client/upload/chunk.ts';
import { createUploadClient, type UploadClient } from '../../client/upload/upload-client.ts';
import { UploadError } from '../../client/upload/upload-error.ts';
import { CommandError, createFailureList, toCommandError } from '../failure.ts';
import { sendBatch } from './batch.ts';
import { findDestination } from './destination.ts';
import { type LocalFile, openLocalFiles } from './local-file.ts';

interface Flags {
  folder?: string;
  tag: string[];
  title?: string;
  type?: string;
  resume?: string;
  url: string;
  key?: string;
  json?: true;
}

const DEFAULT_URL = 'http://127.0.0.1:4000';
const TYPES = ['image', 'editor-image', 'document', 'file', 'video', 'audio', 'vector'];
const HELP = `
Prints a line for each stored file: id, URL and path, separated by tabs.

  $ trivium upload photo.jpg
  $ TRIVIUM_API_KEY=… trivium upload *.png --folder /Design/Logos --tag logo --tag 2026
`;

/**
 * Creates the command `trivium upload`. It does not look for a key on disk: sending an admin key unasked would make the
 * admin the owner, and would give the key to any program that listens at the URL.
 */
export function uploadCommand(
  env: Readonly<Record<string, string | undefined>>,
  attempt: (work: () => Promise<void>) => Promise<void>,
): Command {
  return new Command('upload')
    .description('upload files to a running server')
    .argument('<file...>', 'files to upload')
    .option('--folder <path>', 'folder for the files, such as /Design/Logos; default: unfiled')
    .addOption(
      new Option('--tag <name>', 'tag for the files; repeatable; created if it does not exist')
        .argParser((name: string, names: string[]) => [...names, name])
        .default([], 'none'),
    )
    .option('--title <title>', 'title, for a single file; default: its name')
    .addOption(
      new Option('--type <type>', 'type of the media items; default: by the content').choices(
        TYPES,
      ),
    )
    .option('--resume <upload-id>', 'resume the upload session of a single file')
    .option('--url <url>', 'URL of the server (TRIVIUM_URL)', env.TRIVIUM_URL || DEFAULT_URL)
    .option('--key <key>', 'API key or token (TRIVIUM_API_KEY); default: anonymous')
    .option('--json', 'print a line of JSON for each media item instead')
    .addHelpText('after', HELP)
    .action((paths: string[], flags: Flags) =>
      attempt(() => runUpload(paths, flags, flags.key ?? env.TRIVIUM_API_KEY)),
    );
}

async function runUpload(
  paths: readonly string[],
  flags: Flags,
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

async function toOptions(client: UploadClient, flags: Flags): Promise<UploadOptions> {
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
