import { describe, expect, it } from 'vitest';
import { toIndexedWords, toSearchWords, toTerms } from '../../../src/lib/search-text.ts';
import { keysetBy } from '../../../src/store/cursor.ts';
import type { Db } from '../../../src/store/db.ts';
import { EVERYTHING } from '../../../src/store/scope.ts';
import { indexMedias, listTags } from '../../../src/store/tag/tag.ts';
import { countNodes, listNodes } from '../../../src/store/tree/node.ts';
import { writeWords } from '../../../src/store/tree/words.ts';
import { BACKENDS } from '../../support/backend.ts';
import { makeTag } from '../../support/make.ts';
import { createRandom } from '../../support/random.ts';

/** Number of names and of searches. A nightly run sets 2,000. */
const COUNT = Number(process.env.TRIVIUM_TEST_SEARCHES ?? 200);

const ROWS_AT_ONCE = 500;

const SCRIPTS = [
  'Latin',
  'Greek',
  'Cyrillic',
  'Armenian',
  'Georgian',
  'Hebrew',
  'Arabic',
  'Devanagari',
  'Bengali',
  'Tamil',
  'Malayalam',
  'Sinhala',
  'Tibetan',
  'Ethiopic',
  'Cherokee',
  'Hangul',
  'Han',
  'Hiragana',
  'Katakana',
  'Thai',
  'Lao',
  'Khmer',
  'Myanmar',
] as const;

/** What stands in a name beside letters: accents, joiners, digits and emoji, and separators. */
const MARKS = [
  '\u0301',
  '\u0308',
  '\u200d',
  '\ufe0f',
  '\u3099',
  '7',
  '42',
  '🎉',
  '👍🏽',
  '🇩🇪',
  '❤️',
];
const GAPS = [' ', '-', '_', '.', '、', '\u3000', '\u00a0', "'", '?!', '«', '¦', '"', '\\', ':*'];

type Random = (below: number) => number;

/** Returns the letters, marks and digits of each script. */
function alphabets(): string[][] {
  return SCRIPTS.map((script) => {
    const isOfScript = new RegExp(`(?=\\p{Script=${script}})[\\p{L}\\p{M}\\p{N}]`, 'u');
    // Few of the many, so that names have characters in common.
    const all: string[] = [];
    for (let point = 0x41; point < 0x20000; point++) {
      const character = String.fromCodePoint(point);
      if (isOfScript.test(character)) all.push(character);
    }
    const step = Math.max(1, Math.floor(all.length / 150));
    return all.filter((_, index) => index % step === 0);
  });
}

const ALPHABETS = alphabets();

function oneOf<T>(random: Random, values: readonly T[]): T {
  return values[random(values.length)] as T;
}

function randomWord(random: Random): string {
  const alphabet = oneOf(random, ALPHABETS);
  const letters = Array.from({ length: 1 + random(6) }, () =>
    random(12) === 0 ? oneOf(random, MARKS) : oneOf(random, alphabet),
  );
  const more = random(8) === 0 ? oneOf(random, oneOf(random, ALPHABETS)) : '';
  return letters.join('') + more;
}

/** Returns words, of which one in three is in several names, with what separates them. */
function randomName(random: Random, common: readonly string[]): string[] {
  return Array.from({ length: 1 + random(3) }, () =>
    random(3) === 0 ? oneOf(random, common) : randomWord(random),
  );
}

/** Returns another spelling of a word, or a part of it. */
function variant(random: Random, word: string): string {
  const characters = [...word];
  const start = random(characters.length);
  const part = characters.slice(start, start + 1 + random(characters.length)).join('');
  const variants = [
    word,
    word.toUpperCase(),
    word.toLowerCase(),
    word.normalize('NFD'),
    word.normalize('NFKC'),
    characters.slice(0, 1 + random(characters.length)).join(''),
    part,
    word.normalize('NFD').replace(/\p{M}/gu, ''),
  ];
  return oneOf(random, variants);
}

interface Generated {
  names: string[];
  descriptions: (string | null)[];
  tags: string[];
  /** Each with the index of a name that has it as a word; null if it may have none. */
  searches: { text: string; of: number | null }[];
}

function generate(): Generated {
  const random = createRandom(13);
  const common = Array.from({ length: 40 }, () => randomWord(random));
  const words = Array.from({ length: COUNT }, () => randomName(random, common));
  const searches = words.map((name, index) => {
    const word = oneOf(random, name);
    if (random(3) === 0) return { text: word, of: index };
    const other = random(3) === 0 ? ` ${variant(random, oneOf(random, common))}` : '';
    return { text: variant(random, word) + other, of: null };
  });
  return {
    names: words.map((name) => name.join(oneOf(random, GAPS))),
    descriptions: words.map(() => (random(4) === 0 ? randomName(random, common).join(' ') : null)),
    tags: Array.from({ length: 20 }, () => randomName(random, common).join(' ')),
    searches,
  };
}

async function fill(db: Db, { names, descriptions, tags }: Generated): Promise<void> {
  const rows = names.map((name, index) => ({
    id: 10 + index,
    uuid: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    ...{ type: 'image', parent_id: null, level: 0, path: '', sort_order: 0 },
    name,
    description: descriptions[index] ?? null,
    ...{ owner: null, is_public: 0, created_at: 1, updated_at: 1 },
  }));
  for (const name of tags) await makeTag(db, { name, description: `${name}-${name}` });
  const stored = await db.selectFrom('tag').select('id').orderBy('id').execute();
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
    const part = rows.slice(at, at + ROWS_AT_ONCE);
    await writeWords(db, await db.insertInto('media').values(part).returningAll().execute());
    const labels = part.filter(({ id }) => id % 5 === 0);
    await db
      .insertInto('media_tag')
      .values(labels.map(({ id }) => ({ media_id: id, tag_id: stored[id % stored.length]!.id })))
      .execute();
  }
  await indexMedias(
    db,
    rows.map(({ id }) => id),
  );
}

const BY_ID = keysetBy('id', { name: 'id', type: 'number' });
const BY_RELEVANCE = keysetBy('relevance', { name: 'relevance', type: 'number' });
const PAGE = { limit: 200, backward: false };

interface Found {
  text: string;
  ids: number[];
  count: number;
  tags: number[];
}

/** More at once would wait too long for a connection. */
const SEARCHES_AT_ONCE = 10;

/** Returns what each search finds: media by relevance, their number by the index of words, and tags. */
async function findAll(db: Db, { searches }: Generated): Promise<Found[]> {
  const found: Found[] = [];
  for (let at = 0; at < searches.length; at += SEARCHES_AT_ONCE) {
    const part = searches.slice(at, at + SEARCHES_AT_ONCE);
    found.push(...(await Promise.all(part.map(({ text }) => findOne(db, text)))));
  }
  return found;
}

async function findOne(db: Db, text: string): Promise<Found> {
  const filter = { search: text };
  const media = await listNodes(db, EVERYTHING, filter, BY_RELEVANCE, PAGE);
  const tags = await listTags(db, { terms: toTerms(text).slice(0, 10) }, BY_ID, PAGE);
  return {
    text,
    ids: media.rows.map(({ id }) => id),
    count: await countNodes(db, EVERYTHING, filter),
    tags: tags.rows.map(({ id }) => id),
  };
}

describe(
  `${COUNT} random names and searches in ${SCRIPTS.length} scripts`,
  () => {
    const generated = generate();
    const found = Promise.all(
      BACKENDS.map((backend) =>
        backend.withDb(async (db) => {
          await fill(db, generated);
          return findAll(db, generated);
        }),
      ),
    );

    it('are found alike by all databases', async () => {
      const [first, ...others] = await found;
      for (const other of others) expect(other).toEqual(first);
    });

    it('are found as often by the index as by a look at each', async () => {
      for (const results of await found) {
        for (const { text, ids, count } of results) {
          if (ids.length < PAGE.limit) expect(count, text).toBe(text.trim() ? ids.length : COUNT);
        }
      }
    });

    it('are found by each of their own words', async () => {
      for (const results of await found) {
        for (const [index, { text, ids }] of results.entries()) {
          const of = generated.searches[index]?.of ?? null;
          if (of === null || toSearchWords(text).length === 0) continue;
          if (ids.length < PAGE.limit) expect(ids, text).toContain(10 + of);
        }
      }
    });

    it('are found if they have the words, and only then', async () => {
      const all = generated.names.map((name) => ` ${toIndexedWords(name)}`);
      for (const results of await found) {
        for (const { text, ids } of results) {
          const words = toSearchWords(text);
          if (words.length === 0 || ids.length >= PAGE.limit) continue;
          for (const [index, name] of all.entries()) {
            const has = words.every(({ part }) => name.includes(` ${part}`));
            if (has) expect(ids, text).toContain(10 + index);
          }
        }
      }
    });
  },
  60_000 + 300 * COUNT,
);
