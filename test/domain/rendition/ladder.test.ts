import { describe, expect, it } from 'vitest';
import { boxOnLadder, LADDER } from '../../../src/domain/rendition/ladder.ts';
import { parseRenditionRequest } from '../../../src/domain/rendition/request.ts';

const SOURCE = { width: 4000, height: 3000 };

function rounded(query: Record<string, string>, source = SOURCE) {
  const request = parseRenditionRequest(query);
  if (request === null) throw new Error('The query asks for no rendition.');
  const { width, height } = boxOnLadder(request, source, []);
  return { width, height };
}

describe('the ladder', () => {
  it('rounds sides up, each on its own unless their ratio is a usual one', () => {
    expect(rounded({ width: '828', height: '466' })).toEqual({ width: 828, height: 466 });
    expect(rounded({ width: '333', height: '222' })).toEqual({ width: 340, height: 227 });
    expect(rounded({ width: '517' })).toEqual({ width: 520, height: null });
    expect(rounded({ width: '517', height: '333' })).toEqual({ width: 520, height: 340 });
  });

  it('never makes an image smaller than asked, nor larger than SIDE_MAX allows', () => {
    for (let side = 1; side <= 5000; side += 1) {
      const { width } = rounded({ width: `${side}` }, { width: 5000, height: 5000 });
      expect(width).toBeGreaterThanOrEqual(side);
      expect(width).toBeLessThanOrEqual(5000);
    }
  });

  it.each([
    1, 16, 24, 32, 64, 100, 150, 200, 300, 320, 600, 640, 768, 1000, 1024, 1200, 1280, 1920,
  ])('keeps %i, a length that pages have', (side) =>
    expect(rounded({ width: `${side}`, height: `${side}` })).toEqual({ width: side, height: side }),
  );

  it('does not enlarge an image that is large enough', () => {
    expect(rounded({ width: '513' }, { width: 515, height: 400 })).toEqual({
      width: 515,
      height: null,
    });
    expect(rounded({ width: '517' }, { width: 515, height: 400 })).toEqual({
      width: 520,
      height: null,
    });
  });

  it('is short: strangers can have an image rendered in few sizes', () => {
    expect(LADDER.length).toBeLessThan(170);
  });
});
