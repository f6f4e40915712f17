// What the page shows.
import { computed, effect, signal } from '@preact/signals';
import { asFolder, early, stored } from './boot';
import { Failed, decoded, rightsAt, segmentsOf, type Entry, type Rights } from './dav';
import type { Order } from './files';
import { firstRows } from './firstrows';
import { read, type Reading } from './listings';
import { text } from './text';

const app = document.getElementById('app')!;

// root is the URL path of the server's root.
export const root = new URL(app.dataset.root!, location.href).pathname;
export const user = app.dataset.user ?? '';
export const operationsPath = root + '.davd-operations/';

// path is the URL path of the shown collection.
export const path = signal(early.path);
export const entries = signal<Entry[]>([]);
export const loading = signal(false);
export const failure = signal(-1); // the status of the listing, or -1
export const rights = signal<Rights>({ create: false, remove: false, write: false });
export const selection = signal<ReadonlySet<string>>(new Set());
export const active = signal(0);
export const filter = signal('');
export const message = signal('');

const remembered = <T>(key: string, initial: T) => {
  const value = signal(stored(key, initial));
  effect(() => { try { localStorage.setItem('davd.' + key, JSON.stringify(value.value)); } catch { /* private window */ } });
  return value;
};
export const order = remembered<Order>('order', { by: 'name', backwards: false });
export const view = remembered<'list' | 'grid'>('view', 'list');
export const hidden = remembered('hidden', false);

export interface Search { term: string; running: boolean; cut: boolean; stop: () => void }
export const searching = signal<Search | null>(null);

// shown are the entries that pass the filter.
export const shown = computed(() => {
  const term = searching.value ? '' : filter.value.trim().toLowerCase();
  if (hidden.value && !term) return entries.value;
  return entries.value.filter((e) => (hidden.value || !e.name.startsWith('.')) && (!term || e.name.toLowerCase().includes(term)));
});
export const idOf = (e: Entry): string => e.parent + e.segment;
export const selected = computed(() => selection.value.size ? shown.value.filter((e) => selection.value.has(idOf(e))) : []);
export const summary = computed(() => {
  let folders = 0, bytes = 0;
  for (const e of shown.value) if (e.folder) folders++; else bytes += e.size;
  if (!shown.value.length && entries.value.length) return text.noneShown;
  return text.summary(folders, shown.value.length - folders, bytes);
});

// crumbs are the collections above the shown one, and itself.
export const crumbs = computed(() => {
  let at = root;
  return [{ name: text.home, path: root }, ...segmentsOf(path.value.slice(root.length)).map((segment) => {
    at += segment + '/';
    return { name: decoded(segment), path: at };
  })];
});

// loads is aborted when something else will be shown. reading is what is shown.
let loads = new AbortController();
let reading: Reading | null = null;

// load reads the shown collection. quiet keeps what is shown until the answer is complete.
export const load = async (quiet = false): Promise<void> => {
  loads.abort();
  const mine = loads = new AbortController();
  const at = path.value;
  searching.value = null;
  failure.value = -1;
  void rightsAt(at).then((r) => { if (!mine.signal.aborted) rights.value = r; }, () => {});
  if (!quiet) { entries.value = firstRows(at, order.value); loading.value = true; }
  reading = read({ path: at, order: order.value, whole: quiet, least: quiet ? 0 : entries.value.length }, mine.signal, (all) => { entries.value = all; });
  try {
    await reading.ended;
  } catch (error) {
    if (mine.signal.aborted) return;
    const lost = !(error instanceof Failed) || error.status === 0;
    if (lost && quiet) { // what is shown stays until the server can be reached
      message.value = text.offline;
      setTimeout(() => { if (loads === mine) void load(true); }, 2000);
      return;
    }
    failure.value = lost ? 0 : error.status;
  }
  loading.value = false;
};

// startSearch replaces the shown entries by those below the collection whose names contain term.
export const startSearch = async (term: string): Promise<void> => {
  loads.abort();
  const mine = loads = new AbortController();
  entries.value = [];
  loading.value = false;
  failure.value = -1;
  selection.value = new Set();
  const search = reading = read({ path: path.value, term, order: order.value }, mine.signal, (found, cut) => {
    entries.value = found;
    if (cut) searching.value = { ...searching.value!, cut };
  });
  searching.value = { term, running: true, cut: false, stop: search.stop };
  try {
    await search.ended;
  } catch (error) {
    if (mine.signal.aborted) return;
    failure.value = error instanceof Failed ? error.status : 0;
  }
  searching.value = { ...searching.value!, running: false };
};

// activate makes the entry with a name the one that the keyboard acts on.
export const activate = (name: string): void => {
  const index = shown.value.findIndex((e) => e.name === name);
  if (index >= 0) active.value = index;
};

export const endSearch = (): void => { filter.value = ''; void load(); };

// visit shows another collection. Uploads go on, because the document stays.
export const visit = (to: string, push = true): void => {
  if (push) history.pushState(null, '', to);
  path.value = asFolder(new URL(to, location.href).pathname);
  selection.value = new Set();
  filter.value = '';
  active.value = 0;
  void load();
};
addEventListener('popstate', () => visit(location.pathname, false));

export const reorder = (next: Order): void => {
  order.value = next;
  reading?.reorder(next);
};

effect(() => { document.title = label(); });
function label() { return crumbs.value.at(-1)!.name; }
