// Listings and searches, which a worker reads and sorts.
import { Failed, type Entry } from './dav';
import type { Order } from './files';
import type { Columns, News, Task } from './lister';

const worker = new Worker(new URL('./lister.ts', import.meta.url), { type: 'module' });
const post = (task: Task): void => worker.postMessage(task);

let ids = 0;
const takers = new Map<number, (news: News) => void>();
worker.addEventListener('message', ({ data }: MessageEvent<News>) => takers.get(data.id)?.(data));
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
}

export interface Reading {
  // ended rejects with Failed, or after signal was aborted with its reason.
  ended: Promise<void>;
  // stop ends it with what has arrived.
  stop: () => void;
  // reorder sorts again, also after the end, until signal is aborted.
  reorder: (order: Order) => void;
}

// read calls show with all entries that have arrived, in order, several times. cut tells that the
// server left out a part.
export const read = ({ path, term, order, whole = false }: Wanted, signal: AbortSignal, show: (entries: Entry[], cut: boolean) => void): Reading => {
  const id = ++ids, all: Entry[] = [];
  const ended = new Promise<void>((resolve, reject) => {
    takers.set(id, ({ columns, order, status, cut }) => {
      if (columns) for (const e of entriesOf(path, columns)) all.push(e);
      if (order) show(Array.from(order, (i) => all[i]!), cut);
      if (status === 207) resolve(); else if (status !== undefined) reject(new Failed(status));
    });
    signal.addEventListener('abort', () => { takers.delete(id); post({ id, what: 'forget' }); reject(signal.reason); });
  });
  post({ id, what: 'read', path, term: term ?? null, order, whole });
  return { ended, stop: () => post({ id, what: 'stop' }), reorder: (order) => post({ id, what: 'order', order }) };
};
