import { writeFileSync } from 'node:fs';
import { type Contender, compare, type Round } from './compare.ts';
import { storeForDownload } from './download.ts';
import { jpegCopies, type Payload, photo } from './payload.ts';
import { printStandings } from './report.ts';
import type { RunningServer } from './scratch.ts';
import { sendWhole } from './sender/graphql.ts';
import { bearerToken, type ServerSetup, startLimit, startTrivium } from './server.ts';
import { settleDisk, withConnections } from './transfer.ts';

export interface ImageOptions {
  rounds: number;
  /** Another checkout, installed, that is measured too; null: none. */
  before: URL | null;
}

/** Images that each round renders for the first time. */
const COLD_PER_ROUND = 25;
const HOT_PER_ROUND = 3000;

const LIMIT_SCRIPT = new URL('./limit-image-server.ts', import.meta.url);
const QUERY = '?width=500';

const URL_QUERY = `query ($md5: String!) {
  medias(first: 1, filter: { md5: $md5 }) { nodes { image { url(width: 500) } } }
}`;

/** A server with the paths of its images. */
interface Target {
  name: string;
  server: RunningServer;
  /** Returns the path of an image that has not been asked for. */
  nextPath: () => string;
}

/** The ways to a rendition: the query string of ImageProcessor, and the versioned URL that GraphQL names. */
type Address = 'query' | 'url';

/**
 * JPEGs of 2000 × 1333 pixels as JPEGs that are 500 pixels wide, through HTTP: rendered for the first time, and sent again.
 * The limit is sharp, without a cache, a database or a log. No thumbnails are made meanwhile.
 */
export async function benchImages(setup: ServerSetup, options: ImageOptions): Promise<void> {
  const image = await photo();
  const path = setup.scratch.path('photo.jpg');
  writeFileSync(path, image);
  const limit = await startLimit(setup, LIMIT_SCRIPT, path);
  const starts: TargetStart[] = [
    { name: 'Trivium', address: 'query' },
    { name: 'Trivium, /i/', address: 'url' },
  ];
  const { rounds, before } = options;
  if (before) starts.push({ name: 'Trivium before', address: 'query', before });
  const targets: Target[] = [];
  for (const start of starts) targets.push(await startTarget(setup, { image, rounds, ...start }));
  settleDisk(setup.scratch.directory);
  const size = `${Math.round(image.length / 1000)} KB, 2000 × 1333`;
  const cold = targets.map(toCold);
  const sharpCold = () => get(limit.url, Array(COLD_PER_ROUND).fill('/cold'));
  const colds = [{ name: 'limit: sharp', isLimit: true, pid: limit.pid, run: sharpCold }, ...cold];
  const title = `I1  JPEG of ${size}, 500 wide for the first time`;
  printStandings(title, 'images/s', await compare(colds, rounds));
  const hot = await Promise.all(targets.map(toHot));
  const sharpHot = () => get(limit.url, Array(HOT_PER_ROUND).fill('/hot'));
  const hots = [
    { name: 'limit: bytes in memory', isLimit: true, pid: limit.pid, run: sharpHot },
    ...hot,
  ];
  printStandings('I2  the same rendition again', 'images/s', await compare(hots, rounds));
  for (const { server } of targets) await server.stop();
  await limit.stop();
}

interface TargetStart {
  name: string;
  address: Address;
  before?: URL;
}

async function startTarget(
  setup: ServerSetup,
  { name, address, image, rounds, before }: TargetStart & { image: Buffer; rounds: number },
): Promise<Target> {
  const settings = { TRIVIUM_JOB_CONCURRENCY: '0' };
  const server = await startTrivium(setup, name.replaceAll(/\W+/g, '-'), settings, before);
  const authorization = await bearerToken();
  const send = sendWhole(authorization);
  // One more for the round that warms up, and one that stays for the hot rounds.
  const copies = jpegCopies(image, (rounds + 1) * COLD_PER_ROUND + 1);
  const paths: string[] = [];
  for (const copy of copies) {
    const path = await storeForDownload(server.url, send, copy);
    paths.push(
      address === 'query' ? path + QUERY : await imagePath(server.url, authorization, copy),
    );
  }
  const left = paths.values();
  return { name, server, nextPath: () => left.next().value ?? '' };
}

/** Returns the path that GraphQL names. */
async function imagePath(url: string, authorization: string, { md5 }: Payload): Promise<string> {
  const headers = { authorization, 'content-type': 'application/json' };
  const body = JSON.stringify({ query: URL_QUERY, variables: { md5 } });
  const response = await fetch(`${url}/graphql`, { method: 'POST', headers, body });
  const { data } = (await response.json()) as UrlResult;
  const [media] = data.medias.nodes;
  return new URL(media!.image.url).pathname;
}

interface UrlResult {
  data: { medias: { nodes: { image: { url: string } }[] } };
}

function toCold({ name, server, nextPath }: Target): Contender {
  const run = () => get(server.url, Array.from({ length: COLD_PER_ROUND }, nextPath));
  return { name, isLimit: name !== 'Trivium', pid: server.pid, run };
}

async function toHot({ name, server, nextPath }: Target): Promise<Contender> {
  const path = nextPath();
  await get(server.url, [path]);
  const run = () => get(server.url, Array(HOT_PER_ROUND).fill(path));
  return { name, isLimit: name !== 'Trivium', pid: server.pid, run };
}

/** Gets the paths, one after the other. */
function get(url: string, paths: readonly string[]): Promise<Round> {
  return withConnections(url, 1, paths.length, async ([connection]) => {
    for (const path of paths) {
      const answer = await connection!.request({ method: 'GET', path, discardBody: true });
      if (answer.status !== 200) throw new Error(`GET ${path}: ${answer.status}`);
    }
  });
}
