import { describe, expect, it } from 'vitest';
import { parseColor } from '../../../src/domain/rendition/color.ts';
import type { Focus } from '../../../src/domain/rendition/focus.ts';
import {
  planRendition,
  planThumbnail,
  type Source,
  specOf,
  toSource,
} from '../../../src/domain/rendition/plan.ts';
import { parseRenditionRequest } from '../../../src/domain/rendition/request.ts';

const WIDE: Source = { width: 400, height: 200, mimeType: 'image/jpeg' };
const TALL: Source = { ...WIDE, width: 200, height: 400 };
const PNG: Source = { ...WIDE, mimeType: 'image/png' };

/** Returns the geometry that a query asks for: `crop size window canvas`, or `-` for the image itself. */
function geometry(query: string, source = WIDE, focalPoint: Focus['focalPoint'] = null): string {
  const plan = planOf(query, source, focalPoint);
  if (plan === null) return '-';
  const [, , , crop, scaled, window, canvas] = specOf(plan).split(' ');
  return [crop, scaled?.replace('0,0,', ''), window, canvas].join(' ');
}

function planOf(text: string, source = WIDE, focalPoint: Focus['focalPoint'] = null) {
  const request = parseRenditionRequest(queryOf(text));
  return request && planRendition(request, source, focalPoint);
}

function queryOf(text: string): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = {};
  const params = new URLSearchParams(text);
  for (const name of params.keys()) {
    const all = params.getAll(name);
    query[name] = all.length === 1 ? (all[0] ?? '') : all;
  }
  return query;
}

function summary(query: string, source = WIDE): string {
  const plan = planOf(query, source);
  if (plan === null) return '-';
  const { width, height } = plan.canvas ?? plan.window ?? plan.scaled;
  return `${width}x${height} ${plan.format} ${plan.quality}`;
}

describe('the size of a rendition', () => {
  it.each([
    // One side: the other one follows, in every mode.
    ['width=100', '- 100,50 - -'],
    ['height=100', '- 200,100 - -'],
    ['width=100&mode=crop', '- 100,50 - -'],
    ['width=100&mode=stretch', '- 100,50 - -'],
    ['width=800', '- 800,400 - -'],
    ['width=1&height=1&mode=max', '- 1,1 - -'],
    // Umbraco writes fractions, old templates a unit.
    ['width=99.5px', '- 100,50 - -'],
    ['WIDTH=100', '- 100,50 - -'],
    ['width=100&heightratio=2', '- 100,50 - 0,75,100,200'],
    ['height=100&widthratio=0.5&mode=stretch', '- 50,100 - -'],
    // Both sides: `pad` unless another mode is named.
    ['width=100&height=100', '- 100,50 - 0,25,100,100'],
    ['width=100&height=100&mode=pad&anchor=top', '- 100,50 - 0,0,100,100'],
    ['width=100&height=100&mode=pad&anchor=BottomRight', '- 100,50 - 0,50,100,100'],
    ['width=300&height=100&anchor=left', '- 200,100 - 0,0,300,100'],
    ['width=300&height=100&anchor=right', '- 200,100 - 100,0,300,100'],
    ['width=200&height=100', '- 200,100 - -'],
    ['width=100&height=100&mode=max', '- 100,50 - -'],
    ['width=1000&height=1000&mode=max', '- 1000,500 - -'],
    ['width=100&height=100&mode=stretch', '- 100,100 - -'],
    ['width=100&height=100&mode=min', '- 200,100 - -'],
    ['width=390&height=50&mode=min', '- 390,195 - -'],
    ['width=100&mode=min', '- 100,50 - -'],
    ['width=800&height=800&mode=min', '-'],
    ['width=600&height=600&mode=boxpad', '- 400,200 - 100,200,600,600'],
    ['width=600&height=600&mode=boxpad&anchor=topleft', '- 400,200 - 0,0,600,600'],
    ['width=300&height=600&mode=boxpad', '- 300,150 - 0,225,300,600'],
    ['width=100&height=100&mode=crop', '- 200,100 50,0,100,100 -'],
    ['width=100&height=100&mode=crop&anchor=left', '- 200,100 0,0,100,100 -'],
    ['width=100&height=100&mode=crop&anchor=topright', '- 200,100 100,0,100,100 -'],
    // From the top, then from the left.
    ['width=100&height=100&mode=crop&center=0.9,0.25', '- 200,100 0,0,100,100 -'],
    ['width=100&height=100&mode=crop&center=0,0.6&anchor=left', '- 200,100 70,0,100,100 -'],
    ['width=100&height=100&mode=crop&center=0,1', '- 200,100 100,0,100,100 -'],
    // Only the part that is kept is enlarged, with the pixels at the cut.
    ['width=600&height=600&mode=crop', '100,0,200,200 600,600 - -'],
    ['width=437&height=211&mode=crop', '0,3,400,194 437,212 0,1,437,211 -'],
    // Cropped by the request.
    ['crop=0.25,0.5,0.25,0&cropmode=percentage', '100,100,200,100 200,100 - -'],
    ['crop=25,50,25,0&cropmode=Percentage', '100,100,200,100 200,100 - -'],
    ['crop=10,20,30,40', '10,20,30,40 30,40 - -'],
    ['crop=390,190,100,100', '390,190,10,10 10,10 - -'],
    // The crop is applied first, wherever it stands in the query.
    ['width=50&crop=0,0,100,100', '0,0,100,100 50,50 - -'],
    ['crop=100,0,200,200&width=50&height=100&mode=crop', '100,0,200,200 100,100 25,0,50,100 -'],
    ['crop=100,0,200,200&width=300&height=600&mode=crop', '150,0,100,200 300,600 - -'],
    // The crop leaves nothing or everything.
    ['crop=0.5,0,0.5,0&cropmode=percentage', '-'],
    ['crop=400,0,10,10', '-'],
    ['crop=0,0,400,200', '-'],
    ['crop=0,0,0,0', '-'],
    ['crop=0,0,0,0&cropmode=percentage', '-'],
    ['crop=1,2,3', '-'],
    ['crop=-1,0,10,10', '-'],
  ])('%s', (query, expected) => expect(geometry(query)).toBe(expected));

  it('follows the other side of a tall image', () => {
    expect(geometry('width=100&height=100&mode=crop&center=1,0', TALL)).toBe(
      '- 100,200 0,100,100,100 -',
    );
    expect(geometry('width=100&height=100&anchor=bottom', TALL)).toBe('- 50,100 - 25,0,100,100');
  });

  it.each([
    ['', '- 200,100 100,0,100,100 -'],
    ['&anchor=left', '- 200,100 0,0,100,100 -'],
    ['&anchor=center', '- 200,100 50,0,100,100 -'],
    ['&center=0,0', '- 200,100 0,0,100,100 -'],
    // The point is that of the whole image, wherever the crop is.
    ['&crop=200,0,200,100', '200,0,200,100 200,100 70,0,100,100 -'],
    ['&crop=0,0,200,100', '0,0,200,100 200,100 100,0,100,100 -'],
  ])('is cut around the focal point, unless the query says where: %s', (more, expected) => {
    const focalPoint = { left: 0.8, top: 0.5 };
    expect(geometry(`width=100&height=100&mode=crop${more}`, WIDE, focalPoint)).toBe(expected);
    const uncut = 'width=100&height=100&mode=';
    expect(geometry(`${uncut}pad`, WIDE, focalPoint)).toBe(geometry(`${uncut}pad`));
  });

  it('is not enlarged with upscale=false on either side, except where the mode says so', () => {
    for (const mode of ['pad', 'crop', 'max']) {
      expect(geometry(`width=401&mode=${mode}&upscale=False`)).toBe('-');
      expect(geometry(`width=200&height=100&mode=${mode}&upscale=false`)).toBe('- 200,100 - -');
    }
    expect(geometry('width=300&height=201&upscale=false')).toBe('-');
    expect(geometry('width=300&height=201&mode=crop&upscale=false')).toBe('-');
    expect(geometry('width=300&height=201&mode=max&upscale=false')).toBe('- 300,150 - -');
    expect(geometry('width=401&height=1&mode=stretch&upscale=false')).toBe('- 401,1 - -');
    expect(summary('width=500&height=500&mode=boxpad&upscale=false')).toBe('500x500 jpeg 80');
  });

  const HUGE = { ...WIDE, width: 10_000, height: 4000 };
  it.each([
    ['width=5000', WIDE, '5000x2500 jpeg 80'],
    ['width=5001', WIDE, '-'],
    ['height=4000', WIDE, '-'],
    ['width=999999999&height=10&mode=stretch', WIDE, '-'],
    ['width=5001&format=png', WIDE, '400x200 png null'],
    // The image itself exceeds the limit.
    ['format=webp', HUGE, '5000x2000 webp 80'],
    ['crop=0,0,8000,4000', HUGE, '5000x2500 jpeg 80'],
    ['width=6000', HUGE, '-'],
  ])('has a limit, past which the requested size is ignored: %s', (query, source, expected) =>
    expect(summary(query, source)).toBe(expected),
  );

  it('is never empty, and never enormous at an intermediate step', () => {
    for (const [width, height] of [
      [10_000, 1],
      [1, 10_000],
      [1, 1],
      [3, 7],
      [4999, 5000],
    ] as const) {
      for (const mode of ['pad', 'boxpad', 'crop', 'max', 'min', 'stretch']) {
        for (const box of ['width=5000&height=5000', 'width=1&height=1', 'width=7&height=5000']) {
          for (const more of ['', '&anchor=bottomright', '&center=1,1', '&center=0.3,0.7']) {
            checkBounds(`${box}&mode=${mode}${more}`, { ...WIDE, width, height });
          }
        }
      }
    }
  });
});

/** Checks that each rectangle lies within the image that it is part of. */
function checkBounds(query: string, source: Source): void {
  const plan = planOf(query, source);
  if (plan === null) return;
  const { crop, scaled, window, canvas } = plan;
  const inner = window ?? scaled;
  const note = `${query} of ${source.width}x${source.height}: ${specOf(plan)}`;
  for (const [part, whole] of [
    [crop, source],
    [window, scaled],
    [canvas && { ...inner, left: canvas.left, top: canvas.top }, canvas],
  ] as const) {
    if (part === null || whole === null) continue;
    expect(part.left, note).toBeGreaterThanOrEqual(0);
    expect(part.top, note).toBeGreaterThanOrEqual(0);
    expect(part.left + part.width, note).toBeLessThanOrEqual(whole.width);
    expect(part.top + part.height, note).toBeLessThanOrEqual(whole.height);
  }
  expect(Math.min(inner.width, inner.height, scaled.width, scaled.height), note).toBeGreaterThan(0);
  // One more source pixel on each side, enlarged at most 5000 times, or else no larger than the source.
  const limit = Math.max(source.width, source.height, 3 * 5000);
  expect(Math.max(scaled.width, scaled.height), note).toBeLessThanOrEqual(limit);
}

describe('the format of a rendition', () => {
  const SUMMARIES = {
    'image/jpeg': {
      'width=40': '40x20 jpeg 80',
      'format=jpg': '-',
      'quality=60': '400x200 jpeg 60',
      'quality=0': '400x200 jpeg 1',
      'quality=900': '400x200 jpeg 100',
    },
    'image/png': {
      'width=40': '40x20 png null',
      'format=jpg': '400x200 jpeg 80',
      'format=JPEG': '400x200 jpeg 80',
      'format=gif&quality=5': '400x200 gif null',
      'format=webp&quality=5': '400x200 webp 5',
      // Never encoded in a request: it would take seconds.
      'format=avif': '400x200 webp 80',
      'quality=60': '-',
    },
    'image/gif': {
      'width=40': '40x20 gif null',
    },
    'image/webp': {
      'width=40': '40x20 webp 80',
      'format=webp': '-',
    },
    'image/tiff': {
      'width=40': '40x20 webp 80',
    },
    'image/avif': {
      'width=40': '40x20 webp 80',
      'format=avif&width=40': '40x20 webp 80',
      'format=avif': '-',
    },
  };

  describe.each(Object.entries(SUMMARIES))('of %s', (mimeType, summaries) => {
    it.each(Object.entries(summaries))('%s', (query, expected) => {
      expect(summary(query, { ...WIDE, mimeType })).toBe(expected);
    });
  });

  const BLACK = { r: 0, g: 0, b: 0, alpha: 1 };
  const WHITE = { r: 255, g: 255, b: 255, alpha: 1 };
  it.each([
    ['width=100&height=100', WIDE, BLACK],
    ['width=100&height=100', PNG, null],
    ['width=100&height=100&format=jpg', PNG, WHITE],
    ['width=100&format=jpg', PNG, WHITE],
    ['width=100&height=100&bgcolor=fff', WIDE, WHITE],
    ['width=100&bgcolor=constructor', PNG, null],
    // Nothing of it would be seen.
    ['width=100&bgcolor=red', WIDE, null],
    ['width=100&bgcolor=transparent', PNG, null],
    ['width=100&bgcolor=ff000080', PNG, { r: 255, g: 0, b: 0, alpha: 0.502 }],
    // A JPEG cannot let anything through.
    ['format=jpg&bgcolor=ff000080', PNG, { r: 255, g: 127, b: 127, alpha: 1 }],
    ['width=100&height=100&bgcolor=ff000080', WIDE, { r: 128, g: 0, b: 0, alpha: 1 }],
    ['format=jpg&bgcolor=transparent', PNG, WHITE],
  ] as const)('%s has a background', (query, source, background) =>
    expect(planOf(query, source)?.background).toEqual(background),
  );
});

describe('a color', () => {
  it.each([
    ['fff', '255,255,255,1'],
    ['#102030', '16,32,48,1'],
    ['102030', '16,32,48,1'],
    ['F00C', '255,0,0,0.8'],
    ['10203000', '16,32,48,0'],
    ['#102030FF', '16,32,48,1'],
    ['16,32,48', '16,32,48,1'],
    ['16, 32, 48', '16,32,48,1'],
    ['16,32,48,0', '16,32,48,0'],
    ['16,32,48,255', '16,32,48,1'],
    ['Teal', '0,128,128,1'],
    ['LightGrey', '211,211,211,1'],
    ['lightgray', '211,211,211,1'],
    ['CornflowerBlue', '100,149,237,1'],
    ['rebeccapurple', '102,51,153,1'],
    ['transparent', '0,0,0,0'],
  ])('may be written as %s', (text, expected) =>
    expect(Object.values(parseColor(text)!).join()).toBe(expected),
  );

  it.each([
    '',
    'ff',
    'fffff',
    'fffffff',
    '256,0,0',
    '1,2',
    '1,2,3,4,5',
    '-1,2,3',
    '1.5,2,3',
    'gg0',
  ])('may not be written as %j', (text) => expect(parseColor(text)).toBeNull());

  it.each(['toString', '__proto__', 'bluish'])('has no name %s', (text) =>
    expect(parseColor(text)).toBeNull(),
  );
});

describe('a query without effect', () => {
  it.each([
    '',
    'rnd=132123',
    'mode=crop&anchor=top&center=0,0&upscale=false&cropmode=percentage',
    'width=&height=',
    'width=0',
    'width=-5',
    'width=1e3',
    'width=NaN&height=Infinity',
    'width=0x10',
    'width=%00',
    'width=400',
    'width=400&height=200&mode=crop',
    'width=0.4',
    'width=100,200',
    'quality=abc',
    'quality=-1',
    'format=bmp',
    'format=__proto__',
    'format=constructor',
    'bgcolor=red',
    'bgcolor=ff',
    'crop=a,b,c,d',
    'crop[]=1',
    'amp;width=100',
  ])('%s returns the image itself', (query) => expect(planOf(query)).toBeNull());

  it('may be part of a query with an effect: the other parameters count', () => {
    expect(summary('width=abc&format=png&mode=nope&anchor=nope&center=5,5')).toBe(
      '400x200 png null',
    );
    expect(geometry('width=100&height=100&mode=crop&center=2,0&anchor=right')).toBe(
      '- 200,100 100,0,100,100 -',
    );
  });

  it('uses the last value of a repeated parameter', () => {
    expect(summary('width=100&width=200')).toBe('200x100 jpeg 80');
  });
});

describe('a spec', () => {
  it('is the same for all requests of one output, and differs for others', () => {
    const same = ['width=100', 'height=50', 'width=100&height=50&mode=crop', 'Width=100.2&v=1'];
    const others = ['width=101', 'width=100&quality=79', 'width=100&format=png'];
    const specs = (queries: string[]) => queries.map((query) => specOf(planOf(query)!));
    expect(new Set(specs(same)).size).toBe(1);
    expect(new Set(specs([...same, ...others])).size).toBe(4);
  });
});

it('rejects files that are not images or cannot be decoded', () => {
  const size = { width: 10, height: 10 };
  for (const mimeType of [
    'image/svg+xml',
    'application/pdf',
    'video/mp4',
    'image/heic',
    'image/bmp',
  ]) {
    expect(toSource({ mimeType, ...size })).toBeNull();
  }
  expect(toSource({ mimeType: 'image/png', width: null, height: null })).toBeNull();
  expect(toSource({ mimeType: 'image/avif', ...size })).toEqual({
    mimeType: 'image/avif',
    ...size,
  });
});

it('a thumbnail fits a square, and is never enlarged', () => {
  expect(planThumbnail(WIDE, 320).scaled).toEqual({ width: 320, height: 160 });
  expect(planThumbnail(TALL, 320).scaled).toEqual({ width: 160, height: 320 });
  expect(planThumbnail({ width: 20, height: 16 }, 320).scaled).toEqual({ width: 20, height: 16 });
  expect(planThumbnail({ width: 90_000, height: 2 }, 320).scaled).toEqual({
    width: 320,
    height: 1,
  });
});
