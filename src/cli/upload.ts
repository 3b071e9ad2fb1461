import { createHash } from 'node:crypto';
import { Command, Option } from 'commander';
import type { Md5 } from '../client/blob-md5.ts';
import type { UploadOptions } from '../client/chunk.ts';
import type { UploadedMedia, UploadedMediaType } from '../client/operation.ts';
import { createUploadClient, type UploadClient } from '../client/upload-client.ts';
import { UploadError } from '../client/upload-error.ts';
import { sendBatch } from './batch.ts';
import { findDestination } from './destination.ts';
import { CommandError, createFailureList, toCommandError } from './failure.ts';
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
Each file that was stored is one line on stdout: id, URL and path, separated by tabs.

  $ trivium upload photo.jpg
  $ TRIVIUM_API_KEY=… trivium upload *.png --folder /Design/Logos --tag logo --tag 2026
`;

/**
 * `trivium upload`. The key is never looked for on disk: an admin key that is sent along unasked makes
 * the admin the owner, and goes to whatever program listens at the URL.
 */
export function uploadCommand(
  env: Readonly<Record<string, string | undefined>>,
  attempt: (work: () => Promise<void>) => Promise<void>,
): Command {
  return new Command('upload')
    .description('send files to a running server')
    .argument('<file...>', 'files to send')
    .option('--folder <path>', 'put them in this folder, /Design/Logos; default: unfiled')
    .addOption(
      new Option('--tag <name>', 'tag them; may be repeated; a tag that is missing is made')
        .argParser((name: string, names: string[]) => [...names, name])
        .default([], 'none'),
    )
    .option('--title <title>', 'title of the one file; default: its name')
    .addOption(new Option('--type <type>', 'default: the content decides').choices(TYPES))
    .option('--resume <upload-id>', 'go on with the broken-off upload of the one file')
    .option('--url <url>', 'the server (TRIVIUM_URL)', env.TRIVIUM_URL || DEFAULT_URL)
    .option('--key <key>', 'API key or token (TRIVIUM_API_KEY); default: anonymous')
    .option('--json', 'print each media as a line of JSON instead')
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
    throw new CommandError('--title and --resume go with one file only.');
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
    throw new CommandError(`--url: expected an http or https URL without a user, and not ${text}`);
  return text.replace(/\/+$/, '').replace(/\/graphql$/, '');
}

async function toOptions(client: UploadClient, flags: Flags): Promise<UploadOptions> {
  const { title, type, resume: uploadId } = flags;
  const mediaType = type?.toUpperCase().replace('-', '_') as UploadedMediaType | undefined;
  return { ...(await findDestination(client, flags)), title, type: mediaType, uploadId };
}

/** Seven times as fast as the client's own, which has to run in browsers. */
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
