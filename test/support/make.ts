import { randomBytes, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Services } from '../../src/domain/context.ts';
import { type CreateKeyInput, createApiKey } from '../../src/domain/viewer/key.ts';
import { SYSTEM } from '../../src/domain/viewer/viewer.ts';
import type { Db } from '../../src/store/db.ts';
import { insertFile } from '../../src/store/file/file.ts';
import type { FileRow, NewFileRow, NewNodeRow, NewTagRow, TagRow } from '../../src/store/table.ts';
import { insertTag } from '../../src/store/tag/tag.ts';
import { ROOT_ID } from '../../src/store/tree/folder.ts';
import { insertNode } from '../../src/store/tree/node.ts';

const NOW = Date.UTC(2026, 0, 1);

/** Inserts an unfiled media item without a file. Returns its id. */
export async function makeMediaRow(db: Db, columns: Partial<NewNodeRow> = {}): Promise<number> {
  const { id } = await insertNode(db, {
    uuid: randomUUID(),
    type: 'image',
    parent_id: null,
    level: 0,
    path: '',
    sort_order: 0,
    name: 'A media',
    owner: null,
    is_public: 0,
    created_at: NOW,
    updated_at: NOW,
    ...columns,
  });
  return id;
}

/** Inserts a folder at the top level. Returns its id. */
export function makeFolder(db: Db, columns: Partial<NewNodeRow> = {}): Promise<number> {
  const place = { parent_id: ROOT_ID, level: 1, path: `/${ROOT_ID}/` };
  return makeMediaRow(db, { type: 'folder', name: 'A folder', ...place, ...columns });
}

/** Inserts the row of a media item's original. Its blob does not exist. */
export function makeFileRow(
  db: Db,
  mediaId: number,
  columns: Partial<NewFileRow> = {},
): Promise<FileRow> {
  return insertFile(db, {
    uuid: randomUUID(),
    media_id: mediaId,
    key: '',
    filename: 'picture.png',
    extension: 'png',
    mime_type: 'image/png',
    size_bytes: 1,
    md5: '0'.repeat(32),
    sha256: null,
    width: 1,
    height: 1,
    dir: Array.from(randomBytes(8), (byte) => 'abcdefghijklmnopqrstuvwxyz012345'[byte % 32]).join(
      '',
    ),
    url_name: 'picture.png',
    blob_key: randomBytes(16).toString('hex'),
    created_by: null,
    created_role: null,
    created_at: NOW,
    updated_at: NOW,
    ...columns,
  });
}

/** Inserts a tag. Returns its row. */
export function makeTag(db: Db, columns: Partial<NewTagRow> = {}): Promise<TagRow> {
  return insertTag(db, {
    type: 'user',
    name: 'A tag',
    description: null,
    color: '#ffffff',
    visible: 1,
    active: 1,
    visibility_boost: 0,
    created_at: NOW,
    updated_at: NOW,
    ...columns,
  });
}

/** Returns a JWT that is signed with an HS256 secret. It expires after `expiresIn`. (Default: five minutes) */
export function makeJwt(
  claims: Record<string, unknown>,
  { secret, expiresIn = '5m' }: { secret: string; expiresIn?: string },
): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuedAt()
    .setExpirationTime(expiresIn)
    .sign(new TextEncoder().encode(secret));
}

/** Creates an API key as the server itself, and returns it. */
export async function makeKey(services: Services, input: CreateKeyInput): Promise<string> {
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  return (await createApiKey({ ...services, log, viewer: SYSTEM }, input)).key;
}
