import { expect, it } from 'vitest';
import { preferredType } from '../../src/http/accept.ts';

const [JSON_TYPE, HTML] = ['application/json', 'text/html'] as const;

it.each([
  [undefined, JSON_TYPE],
  ['', JSON_TYPE],
  ['*/*', JSON_TYPE],
  ['text/*', HTML],
  ['TEXT/HTML;Q=0.9, application/json ; q=0.8', HTML],
  ['text/html;q=0.5, application/json', JSON_TYPE],
  ['text/html;q=0, */*', JSON_TYPE],
  ['text/*;q=0, text/html;q=0.1', HTML],
  ['text/html, */*', HTML],
  ['text/html, application/json', HTML],
  ['application/json, text/html', JSON_TYPE],
  ['text/html;q=high', HTML],
  ['text/plain;x="a,text/html", application/json;q=0.1', JSON_TYPE],
  ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', HTML],
  ['text/html;q=0', null],
  ['image/png', null],
])('the type that Accept: %s prefers is %s', (accept, type) => {
  expect(preferredType(accept, [JSON_TYPE, HTML])).toBe(type);
});
