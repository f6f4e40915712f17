// Kinds and orders of entries.

const endings: Record<string, string> = {
  image: 'png jpg jpeg gif webp avif bmp svg ico',
  audio: 'mp3 m4a aac ogg oga opus flac wav',
  video: 'mp4 m4v webm ogv mov mkv',
  pdf: 'pdf',
  text: 'txt md csv log ini conf tex rst',
  code: 'json xml yaml yml toml html htm css js mjs ts tsx go py c h cc cpp rs java rb sh sql',
  document: 'doc docx odt rtf pages epub',
  sheet: 'xls xlsx ods numbers',
  slides: 'ppt pptx odp key',
  archive: 'zip gz tgz bz2 xz zst 7z tar rar',
};
const kinds = new Map(Object.entries(endings).flatMap(([kind, names]) => names.split(' ').map((name) => [name, kind] as const)));

export const kindOf = (e: { name: string; folder: boolean }): string => {
  if (e.folder) return 'folder';
  const dot = e.name.lastIndexOf('.');
  return (dot > 0 && kinds.get(e.name.slice(dot + 1).toLowerCase())) || 'file';
};

export type Column = 'name' | 'size' | 'time' | 'kind';
export interface Order { by: Column; backwards: boolean }

// Sortable is what an order needs of an entry. key is that of naturalKey.
export interface Sortable { name: string; folder: boolean; size: number; time: number; kind: string; key: string }

// naturalKey returns a string that sorts IMG_9 before IMG_10, and é beside e.
export const naturalKey = (name: string): string => {
  const plain = /^[\u0000-\u007f]*$/.test(name) ? name : name.normalize('NFD').replace(/\p{M}/gu, '');
  return plain.toLowerCase().replace(/\d+/g, (digits) => {
    const short = digits.replace(/^0+(?=.)/, '');
    return String.fromCharCode(48 + Math.min(short.length, 9)) + short;
  });
};

const byName = (a: Sortable, b: Sortable): number => a.key < b.key ? -1 : a.key > b.key ? 1 : a.name < b.name ? -1 : a.name > b.name ? 1 : 0;

const columns: Record<Column, (a: Sortable, b: Sortable) => number> = {
  name: byName,
  size: (a, b) => a.size - b.size,
  time: (a, b) => a.time - b.time,
  kind: (a, b) => a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : 0,
};

// comparing returns a comparison for an order. Folders come first.
export const comparing = ({ by, backwards }: Order) => (a: Sortable, b: Sortable): number => {
  if (a.folder !== b.folder) return a.folder ? -1 : 1;
  const order = columns[by](a, b);
  return (backwards ? -order : order) || byName(a, b);
};

// merged returns two sorted lists as one.
export const merged = <T>(a: T[], b: T[], compare: (a: T, b: T) => number): T[] => {
  if (!a.length || !b.length) return a.length ? a : b;
  const all = new Array<T>(a.length + b.length);
  for (let i = 0, j = 0, k = 0; k < all.length; k++) {
    all[k] = j === b.length || i < a.length && compare(a[i]!, b[j]!) <= 0 ? a[i++]! : b[j++]!;
  }
  return all;
};

// freeName returns a name beside an existing one: "a (2).txt".
export const freeName = (name: string, n: number): string => {
  const dot = name.lastIndexOf('.');
  return dot > 0 ? `${name.slice(0, dot)} (${n})${name.slice(dot)}` : `${name} (${n})`;
};
