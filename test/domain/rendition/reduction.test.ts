import { describe, expect, it } from 'vitest';
import { type Fit, fitRequest } from '../../../src/domain/rendition/fit.ts';
import { planRendition, type Source, specOf } from '../../../src/domain/rendition/plan.ts';
import { parseRenditionRequest } from '../../../src/domain/rendition/request.ts';

const WIDE: Source = { width: 400, height: 200, mimeType: 'image/jpeg' };
const ODD: Source = { ...WIDE, width: 333 };

function planOf(query: string, source = WIDE) {
  const request = parseRenditionRequest(Object.fromEntries(new URLSearchParams(query)));
  return request && planRendition(request, source);
}

/** Returns the geometry that a query asks for: `crop size window canvas`, or `-` for the image itself. */
function geometry(query: string): string {
  const plan = planOf(query);
  if (plan === null) return '-';
  const [, , , crop, scaled, window, canvas] = specOf(plan).split(' ');
  return [crop, scaled?.replace('0,0,', ''), window, canvas].join(' ');
}

describe('upscale=never', () => {
  it.each([
    ['crop', 300, 300, '- 400,200 100,0,200,200 -'],
    ['crop', 500, 100, '- 400,200 0,60,400,80 -'],
    ['stretch', 600, 100, '- 600,100 - -'],
    ['stretch', 600, 600, '- 400,400 - -'],
    ['max', 1000, 1000, '-'],
    ['min', 300, 1, '- 300,150 - -'],
    ['pad', 1000, 1000, '- 400,200 - 0,100,400,400'],
    ['crop', 100, 100, '- 200,100 50,0,100,100 -'],
  ])('reduces a size with its aspect ratio kept: %s %i × %i', (...row) => {
    const [mode, width, height, expected] = row;
    expect(geometry(`width=${width}&height=${height}&mode=${mode}&upscale=never`)).toBe(expected);
    expect(geometry(`width=800&mode=${mode}&upscale=never`)).toBe('-');
    expect(geometry(`height=100&mode=${mode}&upscale=Never`)).toBe('- 200,100 - -');
  });

  it('has the geometry of the same fit in GraphQL', () => {
    const fits = { crop: 'cover', max: 'inside', min: 'outside', stretch: 'fill', pad: 'contain' };
    const sizes = ['5×5', '400×400', '3000×300', '300×3000', '332×199', '5000×1', '1×5000'];
    for (const [mode, fit] of Object.entries(fits) as [string, Fit][]) {
      for (const size of sizes) {
        const [width = 0, height = 0] = size.split('×').map(Number);
        const query = `width=${width}&height=${height}&mode=${mode}&upscale=never&quality=79`;
        const look = { format: 'original', quality: 79, crop: null } as const;
        const noFocus = { focalPoint: null, crops: [] };
        const plan = fitRequest({ ...look, fit, width, height }, ODD, noFocus);
        const own = planOf(query, ODD);
        const { scaled, canvas } = plan;
        expect([query, own]).toMatchObject([query, { scaled, canvas }]);
      }
    }
  });
});
