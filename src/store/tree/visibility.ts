import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Db } from '../db.ts';
import { isAnyOf, tableBy } from '../dialect.ts';
import { type Hiding, isPrivateOfOthers, isShown, VISIBILITY, type Visibility } from '../scope.ts';

/**
 * Returns the condition `the media item has one of these visibilities`. One index has the private media, another one the
 * public media.
 */
export function visibilityOf(db: Db, visibilities: readonly Visibility[]) {
  const values = [...new Set(visibilities)].map((visibility) => VISIBILITY[visibility]);
  const check = isAnyOf(db, 'media.is_public', values);
  const [only, ...others] = values;
  const part = 'visibility' as const;
  const isTogether = only === VISIBILITY.public || only === VISIBILITY.private;
  if (others.length > 0 || !isTogether) return { part, check };
  return { part, check, ids: only === VISIBILITY.public ? publicIds(db) : privateIds(db) };
}

/** Returns the condition that hides private media, for lists that are not of folders. */
export function hidingOf(db: Db, hiding: Hiding) {
  const isListed = sql<SqlBool>`media_tag.is_public >= ${sql.lit(VISIBILITY.unlisted)}`;
  const owner = sql`(select owner from media where media.id = media_tag.media_id)`;
  const { exceptOf } = hiding;
  const isOfOther = exceptOf === null ? sql`` : sql`and coalesce(owner, '') <> ${exceptOf}`;
  return {
    part: 'hiding' as const,
    check: isShown(hiding),
    checkOnTag:
      exceptOf === null ? isListed : sql<SqlBool>`(${isListed} or ${owner} = ${exceptOf})`,
    opposite: {
      part: 'hidden' as const,
      check: isPrivateOfOthers(hiding),
      ids: sql`${privateIds(db)} ${isOfOther}`,
    },
  };
}

/** Selects the ids of private media. */
function privateIds(db: Db): RawBuilder<unknown> {
  return sql`select id from ${tableBy(db, 'media', 'media_private')}
    where is_public = ${sql.lit(VISIBILITY.private)} and type <> 'folder'`;
}

/** Selects the ids of public media. */
export function publicIds(db: Db): RawBuilder<unknown> {
  return sql`select id from ${tableBy(db, 'media', 'media_public')} where is_public = 1 and type <> 'folder'`;
}
