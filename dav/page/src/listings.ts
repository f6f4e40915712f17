// Listings and searches, which a worker reads and sorts.
import { early, worker } from './boot';
import { Failed, type Entry } from './dav';
import type { Order } from './files';
import type { Columns, News, Task } from './lister';

const post = (task: Task): void => worker.postMessage(task);

let ids = early.id;
const takers = new Map<number, (news: News) => void>();
worker.addEventListener('error', () => { for (const [id, take] of takers) take({ id, status: 0, cut: false }); });

const entriesOf = (path: string, { names, segments, parents, sizes, times, folders, locks }: Columns): Entry[] => {
  const lockAt = new Map(locks);
  return names.map((name, i) => ({
    name, segment: segments[i] || name, parent: parents?.[i] ?? path, folder: folders[i] === 1, size: sizes[i]!, time: times[i]!, lock: lockAt.get(i) ?? null,
  }));
};

export interface Wanted {
  path: string;
  // term selects entries at all depths whose names contain it.
  term?: string;
  order: Order;
  // whole shows nothing before all has arrived.
  whole?: boolean;
  // least shows nothing before so many entries have arrived, or all.
  least?: number;
}

export interface Reading {
  // ended rejects with Failed, or after signal was aborted with its reason.
  ended: Promise<void>;
  // stop ends it with what has arrived.
  stop: () => void;
  // reorder sorts again, also after the end, until signal is aborted.
  reorder: (order: Order) => void;
}

// begin begins a reading, and returns its id and what has arrived already.
let first = true;
const begin = ({ path, term, order, whole = false }: Wanted): { id: number; news: News[] } => {
  if (first) {
    first = false;
    if (early.path === path && term === undefined && !whole && early.order.by === order.by && early.order.backwards === order.backwards) return early;
    post({ id: early.id, what: 'forget' });
  }
  const id = ++ids;
  post({ id, what: 'read', path, term: term ?? null, order, whole });
  return { id, news: [] };
};

// read calls show with all entries that have arrived, in order, several times. cut tells that the
// server left out a part.
export const read = (wanted: Wanted, signal: AbortSignal, show: (entries: Entry[], cut: boolean) => void): Reading => {
  const { id, news } = begin(wanted), all: Entry[] = [];
  let shown = false;
  const ended = new Promise<void>((resolve, reject) => {
    const take = ({ columns, order, status, cut }: News) => {
      if (columns) for (const e of entriesOf(wanted.path, columns)) all.push(e);
      if (order) {
        if (order.length >= (wanted.least ?? 0) || status !== undefined) show(Array.from(order, (i) => all[i]!), cut);
        if (!shown) requestAnimationFrame(() => setTimeout(() => post({ id, what: 'shown' })));
        shown = true;
      }
      if (status === 207) resolve(); else if (status !== undefined) reject(new Failed(status));
    };
    takers.set(id, take);
    worker.onmessage = ({ data }: MessageEvent<News>) => takers.get(data.id)?.(data);
    for (const each of news.splice(0)) take(each);
    signal.addEventListener('abort', () => { takers.delete(id); post({ id, what: 'forget' }); reject(signal.reason); });
  });
  return { ended, stop: () => post({ id, what: 'stop' }), reorder: (order) => post({ id, what: 'order', order }) };
};
