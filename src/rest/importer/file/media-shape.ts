import type { ResourceFile } from '../../../domain/file/resource.ts';
import { type Fieldset, type ResourceObject, toResourceObject } from '../document.ts';

/** Contract §1.4. */
export const MEDIA_TYPE = 'media:medias';

/** Returns a stored file, with its digest and the metadata of its content: contract §4.1. */
export function toMediaObject(file: ResourceFile, fieldset: Fieldset): ResourceObject {
  const shown = {
    resource: file.resource,
    key: file.key,
    filename: file.filename,
    size: file.sizeBytes,
    mime_type: file.mimeType,
    created_by: toAccountId(file.createdBy),
    created_role: file.createdRole,
    public: file.isPublic,
    created_at: file.createdAt.toISOString(),
    updated_at: file.updatedAt.toISOString(),
    project_id: file.projectId,
    checksum: file.md5,
    meta: file.width === null ? {} : { width: file.width, height: file.height },
  };
  return toResourceObject({ type: MEDIA_TYPE, id: toMediaId(file) }, { shown }, fieldset);
}

/** Returns the id of a file: 32 hexadecimal digits, and the extension (§4.1). */
function toMediaId({ uuid, extension }: ResourceFile): string {
  return uuid.replaceAll('-', '') + (extension === null ? '' : `.${extension}`);
}

/** Returns the id of a user (§4.1): as a number if it is numeric, and otherwise as text, as tokens may name users. */
function toAccountId(viewerId: string | null): string | number | null {
  return viewerId !== null && /^(0|[1-9]\d{0,14})$/.test(viewerId) ? Number(viewerId) : viewerId;
}
