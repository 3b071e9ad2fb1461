import { expect, it } from 'vitest';
import { toSearchWords, toTerms } from '../../../src/lib/search-text.ts';
import { keysetBy } from '../../../src/store/cursor.ts';
import type { Db } from '../../../src/store/db.ts';
import { EVERYTHING } from '../../../src/store/scope.ts';
import { insertMediaTags, listTags } from '../../../src/store/tag/tag.ts';
import { countNodes, listNodes, updateNode } from '../../../src/store/tree/node.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { makeMediaRow, makeTag } from '../../support/make.ts';

const BY_ID = keysetBy('id', { name: 'id', type: 'number' });
const PAGE = { limit: 100, backward: false };

/** Returns the names that a search finds, by a walk that checks each node and by the index. */
async function namesFound(db: Db, search: string): Promise<string[]> {
  const { rows } = await listNodes(db, EVERYTHING, { search }, BY_ID, PAGE);
  expect(await countNodes(db, EVERYTHING, { search }), search).toBe(rows.length);
  return rows.map(({ name }) => name);
}

/** A name of each kind of script, with texts that find it besides its own words. */
const NAMES: readonly (readonly [name: string, ...others: string[]])[] = [
  ['한국어문서 사진.png', '한국'],
  ['Москва ёлка.png', 'елка', 'ЁЛКА', 'моск'],
  ['Йога мой.png', 'иога', 'МОИ'],
  ['Україна їжак ґанок.png', 'УКРАЇНА', 'украіна', 'іжак'],
  ['Беларусь ўсё.png', 'усе'],
  ['Ελλάδα Αθήνα.png', 'ελλαδα', 'ΑΘΗΝΑ'],
  ['ΟΔΟΣ.png', 'οδός', 'οδος', 'οδοσ', 'ΟΔ'],
  ['ガラス ばら.png', 'ラス', 'ｶﾞﾗｽ', 'ら'],
  ['東京タワー写真.png', 'タワー', '京タ', '写真', '真', '東京タワー'],
  ['中文文件说明.png', '文件', '说明', '文'],
  ['ภาษาไทยสวัสดี.png', 'ไทย', 'สวัสดี', 'ษาไ'],
  ['ພາສາລາວ.png', 'ລາວ'],
  ['ភាសាខ្មែរ.png', 'ខ្មែរ', 'សា'],
  ['မြန်မာဘာသာ.png', 'ဘာသာ', 'န်မာ'],
  ['हिन्दी किताब.png', 'हिन्'],
  ['বাংলা বই.png', 'বাং'],
  ['தமிழ் நூல்.png', 'தமி'],
  ['മലയാളം പുസ്തകം.png', 'മലയാ'],
  ['ગુજરાતી ਪੰਜਾਬੀ తెలుగు ಕನ್ನಡ සිංහල.png'],
  ['שָׁלוֹם עוֹלָם.png', 'שלום', 'עולם'],
  ['مُحَمَّد كِتَاب.png', 'محمد', 'كتاب'],
  ['أحمد می‌خواهم.png', 'احمد', 'میخواهم'],
  ['Straße Weißbier.png', 'strasse', 'STRASSE', 'weissb'],
  ['Ørsted smørrebrød.png', 'orsted', 'SMORREBROD'],
  ['Łódź źdźbło Đorđe.png', 'lodz', 'dorde'],
  ['Æsir œuvre þorn.png', 'aesir', 'oeuvre', 'THORN'],
  ['Diyarbakır ISPARTA İzmir.png', 'diyarbakir', 'ısparta', 'izmir'],
  ['Ｆｕｌｌ ﬁne Việt Nam.png', 'full', 'FINE', 'viet'],
  ['ქართული Հայերեն አማርኛ བོད་ཡིག.png', 'ՀԱՅԵՐԵՆ'],
  ['party🎉 ❤️ 👩🏽‍💻 🇩🇪.png', '🎉', '❤', '👩', '💻', '🇩🇪', '👩‍💻', 'PARTY🎉'],
  ['iPhoneケース2024年.png', 'ケース', 'iphone', '2024年', 'iphoneケ', 'ース2024'],
];

describeEachBackend('a search', (backend) => {
  it('finds each name by its words as written, in other case and form, and by its parts', () =>
    backend.withDb(async (db) => {
      for (const [name] of NAMES) await makeMediaRow(db, { name });
      let lookUps = 0;
      for (const [name, ...others] of NAMES) {
        const words = name.replace('.png', '').split(' ');
        const forms = (text: string) => [
          text,
          text.toUpperCase(),
          text.toLowerCase(),
          text.normalize('NFD'),
          text.normalize('NFKC'),
        ];
        for (const search of [...words.flatMap(forms), name, ...others]) {
          expect(await namesFound(db, search), search).toContain(name);
          lookUps++;
        }
      }
      expect(lookUps).toBeGreaterThan(300);
    }));

  it('does not find texts that only have the characters of a part in another order', () =>
    backend.withDb(async (db) => {
      await makeMediaRow(db, { name: '東京と京都', title: '写真' });
      await makeMediaRow(db, { name: 'party time🎉', description: 'タワー', keywords: '写真集' });
      expect(await namesFound(db, '東京都')).toEqual([]);
      expect(await namesFound(db, '京と京')).toEqual(['東京と京都']);
      // From one field into the next.
      expect(await namesFound(db, '都写')).toEqual([]);
      expect(await namesFound(db, 'タワー写')).toEqual([]);
      expect(await namesFound(db, 'ime🎉')).toEqual([]);
      expect(await namesFound(db, '写真 タワ')).toEqual(['party time🎉']);
    }));

  it('finds media by a changed text, by a tag and by its new words, and by nothing that is gone', () =>
    backend.withDb(async (db) => {
      const id = await makeMediaRow(db, { name: 'Été', description: 'Straße' });
      const tag = await makeTag(db, { name: '東京タワー', description: 'Ørsted ΟΔΟΣ' });
      await insertMediaTags(db, [id], [tag.id]);
      expect(await namesFound(db, 'ete strasse タワー')).toEqual(['Été']);
      await updateNode(db, EVERYTHING, id, { description: 'Łódź' });
      expect(await namesFound(db, 'strasse')).toEqual([]);
      expect(await namesFound(db, 'ete lodz 京タ')).toEqual(['Été']);
      await updateNode(db, EVERYTHING, id, { sort_order: 3 });
      expect(await namesFound(db, 'ete lodz 京タ')).toEqual(['Été']);
      await db.deleteFrom('tag').where('id', '=', tag.id).execute();
      expect(await namesFound(db, 'タワー')).toEqual([]);
      await db.deleteFrom('media').where('id', '=', id).execute();
      expect(await namesFound(db, 'ete')).toEqual([]);
      expect(await db.selectFrom('media_words').select('media_id').execute()).toEqual([]);
    }));

  it.each(['タワ', 'orsted', 'STED', 'οδός', '東', 'ﾀﾜｰ'])(
    'of tags finds names and descriptions by the part %s',
    (text) =>
      backend.withDb(async (db) => {
        await makeTag(db, { name: '東京タワー', description: 'Ørsted ΟΔΟΣ' });
        await makeTag(db, { name: 'other' });
        const { rows } = await listTags(db, { terms: toTerms(text) }, BY_ID, PAGE);
        expect(rows.map(({ name }) => name)).toEqual(['東京タワー']);
      }),
  );
});

const BY_RELEVANCE = keysetBy('relevance', { name: 'relevance', type: 'number' });

describeEachBackend('the order by relevance', (backend) => {
  const texts = [
    { name: 'none' },
    { name: 'in text', description: 'a catalogue' },
    { name: 'whole in text', keywords: 'CAT' },
    { name: 'catalogue' },
    { name: 'the Càt.png' },
    { name: 'whole in title', title: 'cat' },
    { name: 'cats' },
    { name: 'tagged' },
  ];
  const expected = [
    'the Càt.png',
    'whole in title',
    'catalogue',
    'cats',
    'whole in text',
    'tagged',
    'in text',
  ];

  async function fill(db: Db): Promise<void> {
    for (const columns of texts) {
      const id = await makeMediaRow(db, columns);
      if (columns.name !== 'tagged') continue;
      await insertMediaTags(db, [id], [(await makeTag(db, { name: 'cat' })).id]);
    }
  }

  it('puts whole words of names first, then parts of names, whole words of texts, and parts of texts', () =>
    backend.withDb(async (db) => {
      await fill(db);
      const filter = { search: 'cat' };
      const { rows } = await listNodes(db, EVERYTHING, filter, BY_RELEVANCE, PAGE);
      expect(rows.map(({ name }) => name)).toEqual(expected);
      const down = { ...BY_RELEVANCE, descending: true };
      const last = await listNodes(db, EVERYTHING, filter, down, PAGE);
      expect(last.rows.map(({ name }) => name)).toEqual(expected.toReversed());
    }));

  it('has the same pages forwards and backwards, of every size', () =>
    backend.withDb(async (db) => {
      await fill(db);
      const read = async (page: object) => {
        const request = { limit: 1, backward: false, ...page };
        return listNodes(db, EVERYTHING, { search: 'cat' }, BY_RELEVANCE, request);
      };
      const placeOf = ({ id, ...row }: { id: number }) => [
        (row as unknown as { relevance: number }).relevance,
        id,
      ];
      for (const limit of [1, 2, 3, 7]) {
        for (const backward of [false, true]) {
          const names: string[] = [];
          for (let place: number[] | undefined; ; ) {
            const bound = backward ? { before: place } : { after: place };
            const { rows, hasMore } = await read({ limit, backward, ...bound });
            const found = rows.map(({ name }) => name);
            if (backward) names.unshift(...found);
            else names.push(...found);
            expect(hasMore).toBe(names.length < expected.length);
            const end = backward ? rows[0] : rows.at(-1);
            if (!hasMore || end === undefined) break;
            place = placeOf(end);
          }
          expect(names).toEqual(expected);
        }
      }
    }));

  it('puts a whole text before a part of one in a script without spaces', () =>
    backend.withDb(async (db) => {
      for (const name of ['東京タワー写真', '写真集', 'タワー 写真'])
        await makeMediaRow(db, { name });
      const filter = { search: '写真' };
      const { rows } = await listNodes(db, EVERYTHING, filter, BY_RELEVANCE, PAGE);
      expect(rows.map(({ name }) => name)).toEqual(['タワー 写真', '東京タワー写真', '写真集']);
    }));

  it.each([undefined, ' '])('is that of the ids without a search: %j', (search) =>
    backend.withDb(async (db) => {
      await fill(db);
      const { rows } = await listNodes(db, EVERYTHING, { search }, BY_RELEVANCE, PAGE);
      expect(rows.map(({ name }) => name)).toEqual(texts.map(({ name }) => name));
    }),
  );
});

it('each name has words', () => {
  for (const texts of NAMES) for (const text of texts) expect(toSearchWords(text)).not.toEqual([]);
});
