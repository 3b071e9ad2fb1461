import type { Placement } from '../client/operation.ts';
import type { UploadClient } from '../client/upload-client.ts';
import { UploadError } from '../client/upload-error.ts';
import { CommandError } from './failure.ts';

/** What files of one command have in common. */
export interface DestinationFlags {
  /** Names from the top, `/Design/Logos`. */
  folder?: string | undefined;
  tag: readonly string[];
}

/** Ids of folder and tags; tags that there are not are made. Throws CommandError, UploadError. */
export async function findDestination(
  client: UploadClient,
  { folder, tag }: DestinationFlags,
): Promise<Pick<Placement, 'folderId' | 'tagIds'>> {
  // The folder first: a slip in its name shall not have made tags.
  const folderId = folder === undefined ? undefined : await findFolderId(client, folder);
  const tagIds: string[] = [];
  for (const name of new Set(tag.map((name) => name.trim()))) {
    tagIds.push(await ensureTagId(client, name));
  }
  return { folderId, tagIds };
}

async function findFolderId(client: UploadClient, path: string): Promise<string> {
  const names = path.split('/').filter(Boolean);
  if (names.length === 0) {
    throw new CommandError(
      '--folder takes a path such as /Design/Logos; without it files stay unfiled.',
    );
  }
  const folder = await client.findFolder(`/${names.join('/')}`);
  if (folder === null) throw await describeMissing(client, names);
  return folder.id;
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

/** Names the first folder of the path that is missing: what has to be made. */
async function describeMissing(client: UploadClient, names: string[]): Promise<CommandError> {
  let parent: { id: string } | null = null;
  for (const [depth, name] of names.entries()) {
    const path = `/${names.slice(0, depth + 1).join('/')}`;
    const found = await client.findFolder(path);
    if (found === null) return missing(path, name, parent?.id);
    parent = found;
  }
  return new CommandError(`The folder /${names.join('/')} was made just now: try again.`);
}

function missing(path: string, name: string, parentId: string | undefined): CommandError {
  const input = [
    `name: ${JSON.stringify(name)}`,
    ...(parentId ? [`parentId: ${JSON.stringify(parentId)}`] : []),
  ];
  return new CommandError(
    [
      `There is no folder ${path} that you may see.`,
      'Folders are made with GraphQL, by an editor or an admin:',
      `  mutation { createFolder(input: { ${input.join(', ')} }) { __typename ... on Error { message } } }`,
    ].join('\n'),
  );
}
