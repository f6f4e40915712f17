// Starts the worker and the listing of the first collection. This module is small and loads nothing
// else, so that the listing arrives while the browser still reads the other scripts.
import type { Order } from './files';
import type { News, Task } from './lister';

export const worker = new Worker(new URL('./lister.ts', import.meta.url), { type: 'module' });

// stored returns a setting that this browser remembers.
export const stored = <T>(key: string, initial: T): T => {
  try { return JSON.parse(localStorage.getItem('davd.' + key) ?? '') as T; } catch { return initial; }
};
export const asFolder = (path: string): string => path.endsWith('/') ? path : path + '/';

// early is the first listing, and what has arrived of it.
export const early = { id: 0, path: asFolder(location.pathname), order: stored<Order>('order', { by: 'name', backwards: false }), news: [] as News[] };
worker.onmessage = ({ data }: MessageEvent<News>) => { early.news.push(data); };
worker.postMessage({ id: early.id, what: 'read', path: early.path, term: null, order: early.order, whole: false } satisfies Task);
