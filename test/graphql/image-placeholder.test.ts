import sharp from 'sharp';
import { thumbHashToAverageRGBA } from 'thumbhash';
import { expect, test, vi } from 'vitest';
import { type TestApp, withApp } from '../support/app.ts';
import { BACKENDS, describeEachBackend } from '../support/backend.ts';
import { fixtureBytes } from '../support/bytes.ts';
import { graphql } from '../support/graphql.ts';
import { animatedPng, animation, plain } from '../support/image.ts';
import { makeMediaRow } from '../support/make.ts';
import { asAdmin } from '../support/private-media.ts';
import { file as toFile } from '../support/request.ts';

const FIELDS = 'image { width thumbhash dominantColor hasAlpha isAnimated }';

const PAGE = `{ medias(first: 50, orderBy: { field: CREATED_AT, direction: ASC }) {
  nodes { name thumbnail { url } ${FIELDS} } } }`;

const TAN = { r: 210, g: 180, b: 140 };
const MOVING = { frames: 3, width: 60, height: 40 };

const TAN_AVERAGE = [210, 180, 140, 255];
const CLEAR_AVERAGE = [210, 180, 140, 128];
const GRAY_AVERAGE = [185, 185, 185, 255];

interface Case {
  bytes: Promise<Buffer>;
  /** Null: that of the thumbnail. */
  average: number[] | null;
  hasAlpha?: boolean;
  isAnimated?: boolean;
}

const IMAGES: Readonly<Record<string, Case>> = {
  'a.jpg': { bytes: plain(TAN).jpeg().toBuffer(), average: TAN_AVERAGE },
  'clear.png': {
    ...{
      bytes: plain({ ...TAN, alpha: 0.5 })
        .png()
        .toBuffer(),
      average: CLEAR_AVERAGE,
    },
    hasAlpha: true,
  },
  'opaque.png': {
    bytes: plain({ ...TAN, alpha: 1 })
      .png()
      .toBuffer(),
    average: TAN_AVERAGE,
  },
  'gray.png': { bytes: plain(TAN).grayscale().png().toBuffer(), average: GRAY_AVERAGE },
  'deep.png': {
    bytes: plain(TAN).toColourspace('rgb16').png().toBuffer(),
    average: TAN_AVERAGE,
  },
  'print.jpg': { bytes: plain(TAN).toColourspace('cmyk').jpeg().toBuffer(), average: null },
  'moving.gif': { bytes: animation('gif', MOVING), average: null, isAnimated: true },
  'moving.webp': { bytes: animation('webp', MOVING), average: null, isAnimated: true },
  'moving.png': { bytes: animatedPng(), average: [255, 0, 0, 255], isAnimated: true },
  'picture.avif': { bytes: Promise.resolve(fixtureBytes('picture.avif')), average: null },
};

async function upload(app: TestApp, name: string, bytes: Buffer): Promise<void> {
  const query = `mutation ($input: UploadFileInput!) { uploadFile(input: $input) {
    ... on UploadFileSuccess { media { ${FIELDS} } } } }`;
  const options = { ...asAdmin(app), files: { 'input.file': toFile(name, bytes) } };
  const { data } = await graphql(app, query, { input: { file: null } }, options);
  expect(data.uploadFile.media.image).toMatchObject(NONE);
}

const NONE = { thumbhash: null, dominantColor: null, hasAlpha: null, isAnimated: null };

async function page(app: TestApp) {
  const { data, errors } = await graphql(app, PAGE, {}, asAdmin(app));
  expect(errors).toBeUndefined();
  return data.medias.nodes as {
    name: string;
    thumbnail: { url: string } | null;
    image: {
      thumbhash: string;
      dominantColor: string;
      hasAlpha: boolean;
      isAnimated: boolean;
    } | null;
  }[];
}

/** Returns the average color: red, green, blue and alpha from 0 to 255. */
function averageOf(thumbhash: string): number[] {
  const { r, g, b, a } = thumbHashToAverageRGBA(Buffer.from(thumbhash, 'base64'));
  return [r, g, b, a].map((value) => value * 255);
}

async function thumbnailColor(app: TestApp, url: string): Promise<number[]> {
  const bytes = Buffer.from(await (await app.fetch(new URL(url).pathname)).arrayBuffer());
  const { data } = await sharp(bytes)
    .ensureAlpha()
    .resize(1, 1)
    .raw()
    .toBuffer({ resolveWithObject: true });
  return [...data];
}

describeEachBackend('the placeholder of an image', (backend) => {
  test.each(['on', 'off'])('is in one query of a page, with the fast path %s', (fastPath) =>
    withApp(
      backend,
      async (app) => {
        for (const [name, { bytes }] of Object.entries(IMAGES))
          await upload(app, name, await bytes);
        await vi.waitUntil(
          async () => (await page(app)).every(({ image }) => image?.thumbhash != null),
          { timeout: 60_000 },
        );
        await makeMediaRow(app.services.db, {
          type: 'eimage',
          name: 'linked',
          image_url: 'https://example.org/a.png',
        });
        const nodes = new Map((await page(app)).map((node) => [node.name, node]));
        for (const [name, { average, hasAlpha = false, isAnimated = false }] of Object.entries(
          IMAGES,
        )) {
          const { image, thumbnail } = nodes.get(name)!;
          expect(image, name).toMatchObject({ hasAlpha, isAnimated });
          expect(image!.dominantColor).toMatch(/^#[0-9a-f]{6}$/);
          const shown = averageOf(image!.thumbhash);
          const expected = average ?? (await thumbnailColor(app, thumbnail!.url));
          for (const [channel, value] of expected.entries()) {
            expect(Math.abs(shown[channel]! - value), `${name} ${channel}`).toBeLessThan(16);
          }
        }
        expect(nodes.get('linked')?.image).toMatchObject(NONE);
      },
      { TRIVIUM_JOB_CONCURRENCY: '2', TRIVIUM_FAST_PATH: fastPath },
    ),
  );
});

test('the placeholders of a page cost no statement more than its images', () =>
  withApp(BACKENDS[0]!, async (app) => {
    await upload(app, 'a.jpg', await IMAGES['a.jpg']!.bytes);
    const count = async (fields: string) => {
      app.statements.length = 0;
      await graphql(app, `{ medias { nodes { image { ${fields} } } } }`, {}, asAdmin(app));
      return app.statements.length;
    };
    const own = await count('url');
    expect(await count('url thumbhash dominantColor hasAlpha isAnimated')).toBe(own);
  }));
