import type { NodeFilter } from '../../src/store/tree/condition.ts';
import type { ListData, TestNode } from './list-data.ts';

/** Tells whether a node matches a filter, as its documentation says. */
export function matches(
  filter: NodeFilter,
  node: TestNode,
  tagNames: Map<number, string>,
): boolean {
  const inner = (nested: NodeFilter) => matches({ kind: 'any', ...nested }, node, tagNames);
  const { and = [], or, not } = filter;
  return (
    matchesPlace(filter, node, tagNames) &&
    matchesAttributes(filter, node) &&
    and.every(inner) &&
    (or?.some(inner) ?? true) &&
    !(not && inner(not))
  );
}

function matchesAttributes(filter: NodeFilter, node: TestNode): boolean {
  const { sizeBytes, width, height, durationMs, near, metadata, mimeTypes } = filter;
  const size = node.size_bytes < 0 ? null : node.size_bytes;
  const timesOf = (span: NodeFilter['createdAt']) =>
    span && { min: span.from?.getTime(), max: span.to?.getTime() };
  const isOfType = (type: string) =>
    type.endsWith('/*')
      ? (node.mimeType ?? '').startsWith(type.slice(0, -1))
      : node.mimeType === type;
  const isEqual = metadata?.equals === undefined || node.metadata === String(metadata.equals);
  const hasField = node.metadata !== null && metadata?.key === 'rating' && isEqual;
  return [
    isInRange(sizeBytes, size),
    isInRange(width, node.width),
    isInRange(height, node.height),
    isInRange(durationMs, node.duration_ms),
    filter.orientations?.some((one) => one === shapeOf(node)) ?? true,
    isInRange(timesOf(filter.updatedAt), node.updated_at),
    isInRange(timesOf(filter.takenAt), node.taken_at),
    filter.anyTagIds?.some((id) => node.tagIds.includes(id)) ?? true,
    filter.tagged === undefined || filter.tagged === node.tagIds.length > 0,
    filter.hasAltText === undefined || filter.hasAltText === (node.alt_text !== null),
    node.name.toLowerCase().includes(filter.nameContains?.toLowerCase() ?? ''),
    filter.extensions?.includes(node.extension ?? '.') ?? true,
    filter.visibility?.includes(node.is_public === 1 ? 'public' : 'unlisted') ?? true,
    mimeTypes?.some(isOfType) ?? true,
    metadata === undefined || hasField === (metadata.exists ?? true),
    near === undefined || (node.latitude !== null && distanceM(near, node) <= near.radiusM),
  ].every(Boolean);
}

function shapeOf({ width, height }: TestNode): string | null {
  if (width === null || height === null) return null;
  return width > height ? 'landscape' : width < height ? 'portrait' : 'square';
}

function isInRange(range: NodeFilter['width'], value: number | null): boolean {
  const { min, max } = range ?? {};
  if (min === undefined && max === undefined) return true;
  return value !== null && value >= (min ?? -Infinity) && value <= (max ?? Infinity);
}

/** The angle between two vectors, which is another formula than that of the store. */
function distanceM(center: { latitude: number; longitude: number }, node: TestNode): number {
  const vectorOf = (latitude: number, longitude: number) => {
    const [phi, lambda] = [(latitude * Math.PI) / 180, (longitude * Math.PI) / 180];
    const [x, y] = [Math.cos(phi) * Math.cos(lambda), Math.cos(phi) * Math.sin(lambda)];
    return [x, y, Math.sin(phi)];
  };
  const a = vectorOf(center.latitude, center.longitude);
  const b = vectorOf(node.latitude ?? 0, node.longitude ?? 0);
  return (
    2 * 6_371_008.8 * Math.asin(Math.min(1, Math.hypot(...a.map((x, i) => x - (b[i] ?? 0))) / 2))
  );
}

function matchesPlace(filter: NodeFilter, node: TestNode, tagNames: Map<number, string>) {
  const { kind = 'media', ids, types, folderId, below, tagIds = [], md5 } = filter;
  const { from, to } = filter.createdAt ?? {};
  const words = wordsOf(
    [node.name, node.title ?? '', ...node.tagIds.map((id) => tagNames.get(id) ?? '')].join(' '),
  );
  const isOfKind = kind === 'any' || (kind === 'folder') === (node.type === 'folder');
  return [
    isOfKind,
    ids?.includes(node.id) ?? true,
    types?.includes(node.type) ?? true,
    folderId === undefined || node.parent_id === folderId,
    !filter.unfiled || node.parent_id === null,
    below === undefined || node.path.startsWith(below),
    tagIds.every((id) => node.tagIds.includes(id)),
    filter.ownedBy === undefined || node.owner === filter.ownedBy,
    from === undefined || node.created_at >= from.getTime(),
    to === undefined || node.created_at <= to.getTime(),
    md5 === undefined || node.md5 === md5,
    wordsOf(filter.search ?? '').every((word) => words.some((other) => other.startsWith(word))),
  ].every(Boolean);
}

function wordsOf(text: string): string[] {
  const plain = text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
  return plain.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
}

/** Each field of a filter, with a value that most nodes match and one that few do, and pairs of those. */
export function filtersOf(data: ListData): Record<string, NodeFilter> {
  const { giantFolder, smallFolder, giantTag, smallTag, rareTag, nodes } = data;
  const ids = nodes.slice(100, 160).map(({ id }) => id);
  const between = { from: new Date(1_001_000), to: new Date(1_001_100) };
  return {
    none: {},
    'folders and media': { kind: 'any' },
    'all folders': { kind: 'folder' },
    ids: { ids },
    'a large folder': { folderId: giantFolder },
    'a small folder': { folderId: smallFolder },
    'folders of a large folder': { folderId: giantFolder, kind: 'folder' },
    'all of a large folder': { folderId: giantFolder, kind: 'any' },
    unfiled: { unfiled: true },
    'below a large folder': { below: `/1/${giantFolder}/` },
    'below a small folder': { below: `/1/${smallFolder}/` },
    'a frequent tag': { tagIds: [giantTag] },
    'a rare tag': { tagIds: [rareTag] },
    'two tags': { tagIds: [giantTag, smallTag] },
    'tags that none has': { tagIds: [giantTag, smallTag, rareTag, 999] },
    'a frequent type': { types: ['image'] },
    'a rare type': { types: ['file'] },
    'two types': { types: ['image', 'doc'] },
    'no type': { types: [] },
    'an owner of many': { ownedBy: 'alice' },
    'an owner of few': { ownedBy: 'bob' },
    'since a time': { createdAt: { from: new Date(1_001_000) } },
    'a short time': { createdAt: between },
    'a frequent MIME type': { mimeTypes: ['image/png'] },
    'two MIME types': { mimeTypes: ['image/png', 'image/gif'] },
    'a MIME type of none': { mimeTypes: ['a/b'] },
    'an MD5': { md5: '1001'.padStart(32, '0') },
    'a frequent word': { search: 'phot' },
    'a rare word': { search: 'EPRE' },
    'two words': { search: 'photo gian' },
    'a word of none': { search: 'zebra' },
    'a frequent and an occasional word': { search: 'photo 15' },
    'occasional words and tag': { search: 'photo 15', tagIds: [giantTag] },
    'tag and type': { tagIds: [giantTag], types: ['image'] },
    'folder, tag, owner': { folderId: giantFolder, tagIds: [giantTag], ownedBy: 'alice' },
    'word and tag': { search: 'photo', tagIds: [giantTag] },
    'word and folder': { search: 'map', folderId: giantFolder },
    'rare word and MIME type': { search: 'epreuve', mimeTypes: ['image/png'] },
    'type, owner, MIME type, time': {
      types: ['image'],
      ownedBy: 'alice',
      mimeTypes: ['image/png'],
      createdAt: { from: new Date(1_000_500) },
    },
    ...attributeFiltersOf(data),
    ...combinedFiltersOf(data),
  };
}

function attributeFiltersOf({ giantTag, smallTag, rareTag }: ListData): Record<string, NodeFilter> {
  return {
    'sizes of many': { sizeBytes: { min: 500 } },
    'sizes of few': { sizeBytes: { min: 40, max: 50 } },
    'widths of many': { width: { min: 100 } },
    'heights of few': { height: { min: 2990 } },
    'wider than high': { orientations: ['landscape'] },
    'square or higher than wide': { orientations: ['square', 'portrait'] },
    'no shape': { orientations: [] },
    'short durations': { durationMs: { max: 100 } },
    'changed in a span': { updatedAt: { from: new Date(2_001_000), to: new Date(2_003_000) } },
    'taken before a time': { takenAt: { to: new Date(0) } },
    'taken in a short span': { takenAt: { from: new Date(-100), to: new Date(100) } },
    'one of two tags': { anyTagIds: [giantTag, smallTag] },
    'one of few tags': { anyTagIds: [rareTag, 999] },
    'one of no tags': { anyTagIds: [] },
    tagged: { tagged: true },
    'without a tag': { tagged: false },
    'with alternative text': { hasAltText: true },
    'without alternative text': { hasAltText: false },
    'part of a name': { nameContains: 'HOTO 1' },
    'part of few names': { nameContains: 'p-12 99' },
    'an extension of many': { extensions: ['png'] },
    'an extension of few': { extensions: ['webp', 'xyz'] },
    'all images': { mimeTypes: ['image/*', 'image/png'] },
    'all texts and a MIME type': { mimeTypes: ['text/*', 'image/gif'] },
    'near a place': { near: { latitude: 48, longitude: 11, radiusM: 1_500_000 } },
    'near the date line': { near: { latitude: 0, longitude: 179, radiusM: 900_000 } },
    'near a pole': { near: { latitude: 88, longitude: 0, radiusM: 800_000 } },
    'anywhere on earth': { near: { latitude: -90, longitude: 5, radiusM: 20_040_000 } },
    'a custom field': { metadata: { key: 'rating' } },
    'the value of a field': { metadata: { key: 'rating', equals: 2 } },
    'without a field': { metadata: { key: 'rating', exists: false } },
    'not public': { visibility: ['unlisted', 'private'] },
  };
}

function combinedFiltersOf(data: ListData): Record<string, NodeFilter> {
  const { giantFolder, smallFolder, giantTag, rareTag } = data;
  return {
    'not wide': { not: { width: { min: 100 } } },
    'neither tag': { not: { or: [{ tagIds: [giantTag] }, { tagIds: [rareTag] }] } },
    'one of nothing': { or: [] },
    'not all': { not: {} },
    'few of one kind or another': { or: [{ tagIds: [rareTag] }, { hasAltText: true }] },
    'many of one kind or another': { or: [{ types: ['image'] }, { folderId: giantFolder }] },
    'one with an index, one without': { or: [{ extensions: ['webp'] }, { tagged: false }] },
    'all of several': {
      and: [{ types: ['image', 'doc'] }, { types: ['image'] }, { tagged: true }],
    },
    'a search in another filter': { and: [{ search: 'photo' }, { search: '15' }] },
    'a search or a tag': { or: [{ search: 'epreuve' }, { tagIds: [rareTag] }] },
    'two ranges': { and: [{ sizeBytes: { min: 100 } }, { sizeBytes: { max: 900 } }] },
    'three levels': {
      folderId: giantFolder,
      or: [
        { not: { and: [{ ownedBy: 'alice' }, { types: ['image'] }] } },
        { and: [{ or: [{ folderId: smallFolder }, { tagIds: [rareTag] }] }] },
      ],
    },
  };
}
