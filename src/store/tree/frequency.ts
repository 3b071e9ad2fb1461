import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { idsWithWords, SAMPLED_EVERY, sampledWithWords, type WordMatch } from '../plan.ts';
import type { Condition } from './condition.ts';

/** Rows of the sample that are counted at most: media beyond them are many in any case. */
const SAMPLE_MAX = 400;

/**
 * Rows of the sample that have the rarest word, up to which the index is read for the rare words only. The index of the
 * beginning of a word has to be read as a whole: half of a million media take longer than testing a thousand.
 */
const RARE_MAX = 16;

/** How frequent the words of a search are: estimates, which are never 0. */
export interface Frequency {
  /** Media that have all words. */
  hits: number;
  /** Media that are read to find these in the index of words, which does not know the words of names. */
  read: number;
  /** All media, or a few more. */
  total: number;
  /** The condition that selects the fewest candidates at the least cost. */
  candidates: Condition;
}

/** Estimates how frequent the words of a condition are, from a sample of the media. */
export async function frequencyOf(
  db: Db,
  condition: Condition,
  match: WordMatch,
): Promise<Frequency> {
  const { words, isInName } = match;
  const each = words.length === 1 ? [] : words.map((word) => ({ ...match, words: [word] }));
  const anywhere = isInName ? [{ ...match, isInName: false }] : [];
  const matches = [match, ...anywhere, ...each];
  const counts = matches.map(
    (one, index) => sql`${sampledWithWords(db, one, SAMPLE_MAX)} as ${sql.ref(`c${index}`)}`,
  );
  const total = sql`(select max(media_id) from media_words) as total`;
  const { rows } = await sql<
    Record<string, number | null>
  >`select ${sql.join(counts)}, ${total}`.execute(db);
  const sampled = matches.map((_, index) => Number(rows[0]?.[`c${index}`]));
  // One more: few are not none.
  const estimate = (count = 0) => (count + 1) * SAMPLED_EVERY;
  return {
    hits: estimate(sampled[0]),
    read: estimate(sampled[anywhere.length]),
    total: Number(rows[0]?.total ?? 0),
    candidates: withoutFrequent(db, condition, match, sampled.slice(1 + anywhere.length)),
  };
}

/** Leaves frequent words out of the index if a rare one is left; they are tested instead. */
function withoutFrequent(
  db: Db,
  condition: Condition,
  match: WordMatch,
  counts: readonly number[],
): Condition {
  const words = match.words.filter((_, index) => (counts[index] ?? 0) < SAMPLE_MAX);
  const isAny = words.length > 0 && words.length < match.words.length;
  if (!isAny || Math.min(...counts) > RARE_MAX) return condition;
  return { ...condition, ids: idsWithWords(db, { ...match, words }) };
}
