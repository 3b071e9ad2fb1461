import { describe, expect, it } from 'vitest';
import type { TestApp } from '../support/app.ts';
import { BACKENDS } from '../support/backend.ts';
import { makeCorpus } from '../support/corpus/corpus.ts';
import { DOORS, type Outcome } from '../support/corpus/door.ts';
import type { CorpusFile } from '../support/corpus/file.ts';
import { withServer } from '../support/corpus/server.ts';
import { share } from '../support/share.ts';

const CORPUS = await makeCorpus();

it('the corpus has at least 150 files', () => {
  expect(CORPUS.length).toBeGreaterThanOrEqual(150);
});

// On one database: a verdict is found before a row is written.
describe('every door', () => {
  const server = share((work: Parameters<typeof withServer>[1]) => withServer(BACKENDS[0]!, work));

  it.concurrent.each(CORPUS)('has one verdict about $what', async (file) => {
    const expected = Object.keys(DOORS).map((door) => [door, expectedAt(door, file)]);
    const found = await Promise.all(
      Object.entries(DOORS).map(async ([name, door]) => {
        return [name, await describeOutcome(server().app, file, await door(server(), file))];
      }),
    );
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
  });

  it('refuses a file with the same sentence', async () => {
    // Each dialect refuses an empty file in its own words, before its content is examined.
    const refused = CORPUS.filter(({ verdict, bytes }) => verdict === null && bytes.length > 0);
    for (const file of [0, 1, 2].map((part) => refused[Math.floor((part * refused.length) / 3)]!)) {
      const sentences = new Set<string>();
      for (const door of Object.values(DOORS)) {
        const outcome = await door(server(), file);
        sentences.add('refusal' in outcome ? outcome.refusal : 'accepted');
      }
      expect([...sentences], file.what).toHaveLength(1);
      expect([...sentences][0]).toMatch(/^The (?:content|image) /);
    }
  });
});

/** Contract §5.10 of Heartcore refuses names without an extension; its type of item is `File`, for any content. */
function expectedAt(door: string, { filename, verdict, bytes }: CorpusFile): string {
  if (verdict === null || (door === 'Heartcore' && !filename.includes('.'))) return 'refused';
  const [type = '', mimeType = ''] = verdict.split(' ');
  const isImage = type === 'image';
  const shown = door === 'Heartcore' ? 'file' : type;
  return `${shown} ${mimeType} ${bytes.length} ${isImage ? 'with' : 'without'} a size, the same bytes`;
}

/** Reads what has been stored, from the database and by the URL of the file. */
async function describeOutcome(app: TestApp, file: CorpusFile, outcome: Outcome): Promise<string> {
  if ('refusal' in outcome) {
    const isClear = outcome.status >= 400 && outcome.status < 500 && outcome.refusal !== '';
    return isClear ? 'refused' : JSON.stringify(outcome);
  }
  const [[column, value] = ['', '']] = Object.entries(outcome);
  const row = await app.services.db
    .selectFrom('media')
    .innerJoin('file', 'file.media_id', 'media.id')
    .where(`media.${column}` as 'media.uuid', '=', value as string)
    .select(['media.type', 'mime_type', 'file.size_bytes', 'width', 'height', 'dir', 'url_name'])
    .executeTakeFirstOrThrow();
  const response = await app.fetch(`/media/${row.dir}/${row.url_name}`);
  const isSame = Buffer.from(await response.arrayBuffer()).equals(file.bytes);
  const hasSize = row.width !== null && row.height !== null;
  const size = hasSize ? 'with' : 'without';
  return `${row.type} ${row.mime_type} ${row.size_bytes} ${size} a size, ${isSame ? 'the same' : 'other'} bytes`;
}
