// A worker that reads listings, searches and sorts them, so that the page can always draw and take
// input. It answers with columns, because these are cheap to pass on.
import { decoded, Failed, memberProps, propfind, type Entry } from './dav';
import { comparing, kindOf, merged, naturalKey, type Order, type Sortable } from './files';
import { Scanner, type Lock, type Member } from './multistatus';

// A Task begins a listing, changes its order, stops it with what has arrived, forgets it, or says that
// its first entries are on the screen.
export type Task =
  | { id: number; what: 'read'; path: string; term: string | null; order: Order; whole: boolean }
  | { id: number; what: 'order'; order: Order }
  | { id: number; what: 'stop' | 'forget' | 'shown' };

// Columns are entries in the order in which they arrived. segments has '' for a segment that is the
// name, and parents is null for a listing.
export interface Columns { names: string[]; segments: string[]; parents: string[] | null; sizes: Float64Array; times: Float64Array; folders: Uint8Array; locks: [index: number, lock: Lock][] }

// News has new entries, or the order of all that were sent. status is that of the answer when the
// listing has ended, 0 for a lost connection. cut tells that the server left out a part.
export interface News { id: number; columns?: Columns; order?: Uint32Array; status?: number; cut: boolean }

// maxColumns is how many entries a message has at most: the page needs a few milliseconds for them.
const maxColumns = 4000;

// longestShow is how long a reading waits at its start for the page to show something, in ms. The page
// may not draw at all, as in a tab in the background.
const longestShow = 1000;

// Row is what the order needs of an entry. index is its place among all that were sent.
interface Row extends Sortable { index: number }

const post = postMessage as (news: News, transfer: Transferable[]) => void;

// A Reading is a listing or a search.
class Reading {
  #stop = new AbortController();
  #forgotten = false;
  #id: number;
  #path: string;
  #term: string | null;
  #whole: boolean;
  #order: Order;
  // Those that were not sent yet, and those whose place in the order was not sent yet.
  #unsent: Entry[] = [];
  #unsorted: Row[] = [];
  #sorted: Row[] = [];
  #count = 0;
  // The URL path that the server uses for path. A proxy may have changed it.
  #from: string | null = null;
  #cut = false;
  #due = 0;
  #shown: Promise<void>;

  constructor({ id, path, term, order, whole }: Task & { what: 'read' }) {
    this.#id = id;
    this.#path = path;
    this.#term = term?.toLowerCase() ?? null;
    this.#order = order;
    this.#whole = whole;
    this.#shown = new Promise((resolve) => { this.shown = resolve; setTimeout(resolve, longestShow); });
  }

  async run(): Promise<void> {
    let status = 207;
    try {
      await this.#read();
    } catch (error) {
      if (!this.#stop.signal.aborted) status = error instanceof Failed ? error.status : 0;
    }
    if (this.#forgotten) return;
    if (this.#whole && status !== 207) { post({ id: this.#id, status, cut: this.#cut }, []); return; }
    this.#send();
    this.#arrange(status);
  }

  async #read(): Promise<void> {
    const answer = await propfind(this.#path, this.#term === null ? '1' : 'infinity', memberProps, this.#stop.signal);
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    const scanner = new Scanner();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      for (const member of scanner.feed(value)) this.#add(member);
      if (!this.#whole && performance.now() >= this.#due && this.#flush()) await this.#shown;
    }
  }

  #add(member: Member): void {
    const path = member.href.startsWith('/') ? member.href : new URL(member.href, location.href).pathname;
    if (/ 507 /.test(member.status)) this.#cut = true;
    if (this.#from === null) { this.#from = path; return; } // the collection itself
    const end = path.endsWith('/') ? path.length - 1 : path.length, start = path.lastIndexOf('/', end - 1) + 1;
    if (start >= end) return;
    const segment = path.slice(start, end), name = segment.includes('%') ? decoded(segment) : segment;
    if (this.#term !== null && !name.toLowerCase().includes(this.#term)) return;
    const { folder, size, time, lock } = member;
    const parent = this.#term === null ? '' : this.#path + path.slice(this.#from.length, start);
    const entry = { name, segment, parent, folder, size, time, lock };
    this.#unsent.push(entry);
    this.#unsorted.push({ index: this.#count++, name, folder, size, time, key: naturalKey(name), kind: kindOf(entry) });
    if (this.#unsent.length >= maxColumns) this.#send();
  }

  // flush sends what has arrived, first at once and then at growing intervals, because each time the
  // page shows all anew. It reports whether there was anything.
  #flush(): boolean {
    if (!this.#unsorted.length) return false;
    this.#send();
    this.#arrange();
    this.#due = performance.now() + Math.min(1000, 50 + this.#count / 200);
    return true;
  }

  // shown lets the reading go on after the first entries: until they are on the screen, it would only
  // take the processor away from the page.
  shown = (): void => {};

  #send(): void {
    const some = this.#unsent;
    if (!some.length) return;
    this.#unsent = [];
    const sizes = Float64Array.from(some, ({ size }) => size), times = Float64Array.from(some, ({ time }) => time);
    const folders = Uint8Array.from(some, ({ folder }) => folder ? 1 : 0);
    const columns: Columns = {
      names: some.map(({ name }) => name), segments: some.map(({ name, segment }) => name === segment ? '' : segment),
      parents: this.#term === null ? null : some.map(({ parent }) => parent), sizes, times, folders,
      locks: some.flatMap(({ lock }, i) => lock ? [[i, lock] as [number, Lock]] : []),
    };
    post({ id: this.#id, columns, cut: this.#cut }, [sizes.buffer, times.buffer, folders.buffer]);
  }

  // arrange sends the order of all entries that were sent.
  #arrange(status?: number): void {
    const compare = comparing(this.#order);
    this.#sorted = merged(this.#sorted, this.#unsorted.sort(compare), compare);
    this.#unsorted = [];
    const order = new Uint32Array(this.#sorted.length);
    for (let i = 0; i < order.length; i++) order[i] = this.#sorted[i]!.index;
    post({ id: this.#id, order, status, cut: this.#cut }, [order.buffer]);
  }

  stop(): void { this.#stop.abort(); }

  forget(): void {
    this.#forgotten = true;
    this.stop();
  }

  reorder(order: Order): void {
    this.#order = order;
    this.#sorted.sort(comparing(order));
    if (!this.#unsent.length) this.#arrange();
  }
}

const readings = new Map<number, Reading>();

addEventListener('message', ({ data: task }: MessageEvent<Task>) => {
  const reading = readings.get(task.id);
  switch (task.what) {
    case 'read': {
      const begun = new Reading(task);
      readings.set(task.id, begun);
      void begun.run();
      break;
    }
    case 'order': reading?.reorder(task.order); break;
    case 'stop': reading?.stop(); break;
    case 'shown': reading?.shown(); break;
    case 'forget': reading?.forget(); readings.delete(task.id); break;
  }
});
