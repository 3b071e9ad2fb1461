import type { Placement } from '../../client/operation.ts';
import type { UploadClient } from '../../client/upload/upload-client.ts';
import { UploadError } from '../../client/upload/upload-error.ts';
import { CommandError, UsageError } from '../failure.ts';
import type { FolderMaker } from '../tree/folder.ts';
import { namesOf } from '../tree/node.ts';

/** Flags that apply to all files of a command. */
export interface DestinationFlags {
  /** Names from the top, `/Design/Logos`. */
  folder?: string | undefined;
  createFolder?: boolean | undefined;
  tag: readonly string[];
}

/** Returns the ids of the folder and the tags; creates missing tags. Throws CommandError, UploadError. */
export async function findDestination(
  client: UploadClient,
  folders: FolderMaker,
  { folder, createFolder = false, tag }: DestinationFlags,
): Promise<Pick<Placement, 'folderId' | 'tagIds'>> {
  // The folder comes first, so that a misspelled folder creates no tags.
  const folderId =
    folder === undefined ? undefined : await findFolderId(client, folders, folder, createFolder);
  const tagIds: string[] = [];
  for (const name of new Set(tag.map((name) => name.trim()))) {
    tagIds.push(await ensureTagId(client, name));
  }
  return { folderId, tagIds };
}

async function findFolderId(
  client: UploadClient,
  folders: FolderMaker,
  path: string,
  isCreated: boolean,
): Promise<string> {
  const names = namesOf(path);
  if (names.length === 0) {
    throw new UsageError(
      '--folder: expected a path such as /Design/Logos. Without the flag, files stay unfiled.',
    );
  }
  const folder = await client.findFolder(`/${names.join('/')}`);
  if (folder !== null) return folder.id;
  if (!isCreated) throw await describeMissing(client, names);
  let id: string | null = null;
  for (const name of names) id = await folders.ensure(id, name);
  return id ?? '';
}

async function ensureTagId(client: UploadClient, name: string): Promise<string> {
  try {
    return (await client.ensureTag(name)).id;
  } catch (error) {
    const isOfThisTag =
      error instanceof UploadError && ['FORBIDDEN', 'INVALID_INPUT'].includes(error.code);
    throw isOfThisTag ? new CommandError(`--tag "${name}": ${error.message}`) : error;
  }
}

/** Returns an error that names the first missing folder of the path, which must be created. */
async function describeMissing(client: UploadClient, names: string[]): Promise<CommandError> {
  let parent: { id: string } | null = null;
  for (const [depth, name] of names.entries()) {
    const path = `/${names.slice(0, depth + 1).join('/')}`;
    const found = await client.findFolder(path);
    if (found === null) return missing(path, name, parent?.id);
    parent = found;
  }
  return new CommandError(`The folder /${names.join('/')} has just been created. Try again.`);
}

function missing(path: string, name: string, parentId: string | undefined): CommandError {
  const input = [
    `name: ${JSON.stringify(name)}`,
    ...(parentId ? [`parentId: ${JSON.stringify(parentId)}`] : []),
  ];
  return new CommandError(
    [
      `Folder ${path} does not exist, or you may not see it.`,
      'Add --create-folder, or let an editor or an admin create it with GraphQL:',
      `  mutation { createFolder(input: { ${input.join(', ')} }) { __typename ... on Error { message } } }`,
    ].join('\n'),
  );
}
