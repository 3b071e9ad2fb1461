/** Words of the seed: about a half, 7 %, 0.7 % and 0.03 % of all media have them. */
const WORDS = { frequent: 'cobaba', common: 'nobaba', occasional: 'bahaba', rare: 'banoko' };

const SEARCHES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Object.entries(WORDS).map(([name, word]) => [`with a ${name} word`, `search: "${word}"`]),
  ),
  'with an unknown word': 'search: "xyzzy"',
  'with two frequent words': 'search: "cobaba dibaba"',
  'with two occasional words': 'search: "bahaba cohaba"',
  'with a frequent and a common word': `search: "${WORDS.frequent} ${WORDS.common}"`,
  'with a frequent and a rare word': `search: "${WORDS.frequent} ${WORDS.rare}"`,
  'with a frequent and an unknown word': `search: "${WORDS.frequent} xyzzy"`,
};

/** Returns the filters of media that GraphQL lists are asked for with, by their names. */
export function mediaFilters(folderId: string, tagId: string): Record<string, string> {
  return {
    all: '',
    'of a folder': `folderId: "${folderId}"`,
    'below a folder': `underFolderId: "${folderId}"`,
    unfiled: 'unfiled: true',
    'of a type': 'types: [VIDEO]',
    'of two types': 'types: [VIDEO, DOCUMENT]',
    'of a tag': `tagIds: ["${tagId}"]`,
    'of an owner': 'ownedBy: "user-7"',
    'of a MIME type': 'mimeTypes: ["image/png"]',
    'of a rare MIME type': 'mimeTypes: ["image/bmp"]',
    'of an unknown MIME type': 'mimeTypes: ["image/none"]',
    'of an unknown MD5': 'md5: "00000000000000000000000000000000"',
    'since a date': 'createdAt: {from: "2025-06-01T00:00:00Z"}',
    'of a range of sizes': 'sizeBytes: {min: 4000000}',
    'of a narrow range of sizes': 'sizeBytes: {min: 4000000, max: 4000100}',
    'of an unknown width': 'width: {min: 100000}',
    'of an unknown duration': 'durationMs: {min: 1}',
    'changed in a minute': 'updatedAt: {from: "2025-06-01T00:00:00Z", to: "2025-06-01T00:01:00Z"}',
    'of an unknown extension': 'extensions: ["none"]',
    'of all images': 'mimeTypes: ["image/*"]',
    'with a tag': 'tagged: true',
    'without a tag': 'tagged: false',
    'with alternative text': 'hasAltText: true',
    'with a custom field': 'metadata: {key: "none"}',
    'near a place': 'near: {latitude: 48, longitude: 11, radiusM: 1000}',
    'with a part of a name': 'nameContains: "xyzzy"',
    'of one of two kinds': `or: [{types: [VIDEO]}, {tagIds: ["${tagId}"]}]`,
    'not of a type': 'not: {types: [IMAGE]}',
    ...SEARCHES,
    ...Object.fromEntries(
      ['frequent', 'common', 'occasional', 'rare'].map((word) => [
        `with a ${word} word, of a tag`,
        `${SEARCHES[`with a ${word} word`]}, tagIds: ["${tagId}"]`,
      ]),
    ),
  };
}
