// The first rows. The document has a table for browsers without scripts. Its rows are shown until the
// listing arrives, which takes two more scripts and a request.
import { asFolder, early } from './boot';
import { decoded, type Entry } from './dav';
import { comparing, kindOf, naturalKey, type Order } from './files';

// most is how many rows are taken. Each takes time before anything is shown.
const most = 100;

// rowsOf returns the complete rows of a piece of HTML. A document without a window runs and loads
// nothing.
const rowsOf = (html: string): HTMLTableRowElement[] => {
  let end = html.indexOf('<tbody>'), count = 0;
  const start = end;
  for (let next: number; count < most && (next = html.indexOf('</tr>', end)) >= 0; count++) end = next + 5;
  if (start < 0 || !count) return [];
  return [...new DOMParser().parseFromString(`<table>${html.slice(start, end)}</table>`, 'text/html').querySelectorAll('tr')];
};

const entryOf = (row: HTMLTableRowElement, parent: string): Entry => {
  const href = row.querySelector('a')!.getAttribute('href')!, folder = href.endsWith('/');
  const segment = (folder ? href.slice(0, -1) : href).replace(/^.*\//s, '');
  return {
    name: decoded(segment), segment, parent, folder, lock: null,
    size: Number(row.querySelector('data')?.value) || 0, time: Date.parse(row.querySelector('time')?.dateTime ?? '') || 0,
  };
};

// firstRows returns the rows that have arrived with the document, if it is that of the collection at
// path, and only once. The document may still be arriving.
export const firstRows = (path: string, order: Order): Entry[] => {
  const element = document.querySelector('body > noscript');
  element?.remove();
  if (!element || path !== early.path || asFolder(location.pathname) !== path) return [];
  const compare = comparing(order);
  return rowsOf(element.textContent!).map((row) => entryOf(row, path))
    .map((entry) => ({ entry, ...entry, kind: kindOf(entry), key: naturalKey(entry.name) })).sort(compare).map(({ entry }) => entry);
};
