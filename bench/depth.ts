import { compare } from './compare.ts';
import type { ClientRequest } from './connection.ts';
import { fetchBody, load, type ReadOptions } from './reads.ts';
import { printStandings } from './report.ts';
import { seed } from './seed.ts';
import { bearerToken, type ServerSetup, startTrivium } from './server.ts';

const MEDIA_COUNT = 100_000;
const FIELDS = 'nodes { id name file { sizeBytes url } } pageInfo { startCursor hasNextPage }';

/** The first and the last page of 100,000 media: by keyset, both cost the same. */
export async function benchDepth(setup: ServerSetup, options: ReadOptions): Promise<void> {
  await seed(setup.scratch.path('depth'), { mediaCount: MEDIA_COUNT, tagsPerMedia: 0 });
  const trivium = await startTrivium(setup, 'depth');
  const authorization = await bearerToken();
  const read = (args: string): ClientRequest => ({
    method: 'POST',
    path: '/graphql',
    headers: { authorization, 'content-type': 'application/json' },
    body: [Buffer.from(JSON.stringify({ query: `{ medias(${args}) { ${FIELDS} } }` }))],
  });
  // The cursor just before the last page.
  const { data } = JSON.parse(await fetchBody(trivium.url, read('last: 51'))) as {
    data: { medias: { pageInfo: { startCursor: string } } };
  };
  const last = `first: 50, after: "${data.medias.pageInfo.startCursor}"`;
  const pages = { 'first page': 'first: 50', 'last page': last };
  const standings = await compare(
    Object.entries(pages).map(([name, args]) => ({
      name,
      isLimit: name === 'first page',
      pid: trivium.pid,
      run: () => load(trivium.url, () => read(args), options),
    })),
    options.rounds,
  );
  printStandings(`P  pages of 50 of ${MEDIA_COUNT.toLocaleString('en')} media`, 'req/s', standings);
  await trivium.stop();
}
