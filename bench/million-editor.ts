import type { ListOperation } from './million-lists.ts';

/** Returns the lists that depend most on what their viewer may see, as an editor requests them. */
export function editorLists(all: readonly ListOperation[]): ListOperation[] {
  return all.filter(isDear).map(asEditor);
}

function isDear({ name, kind, isAnonymous }: ListOperation): boolean {
  if (isAnonymous) return false;
  return kind === 'deep' || kind === 'count' || /^(medias|jobs) all/.test(name);
}

function asEditor(operation: ListOperation): ListOperation {
  return { ...operation, name: `${operation.name}, as an editor`, isEditor: true };
}
