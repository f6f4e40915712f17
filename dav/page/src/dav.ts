// The WebDAV client of the page.

export interface Lock { owner: string; until: Date | null }
export interface Entry {
  name: string;
  // segment is the last segment of the URL, escaped as the server did it.
  segment: string;
  // parent is the URL path of the collection, with a slash at the end.
  parent: string;
  folder: boolean;
  size: number;
  time: number;
  lock: Lock | null;
  // key sorts names in natural order.
  key: string;
}

export class Failed extends Error {
  constructor(readonly status: number) { super(String(status)); }
}

// href returns the URL path of an entry.
export const href = (e: Entry): string => e.parent + e.segment + (e.folder ? '/' : '');

// decoded returns the text of an escaped segment. Bytes that aren't UTF-8 become �.
export const decoded = (segment: string): string => {
  try { return decodeURIComponent(segment); } catch { /* below */ }
  const bytes = segment.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  return new TextDecoder().decode(Uint8Array.from(bytes, (c) => c.charCodeAt(0)));
};

// segmentsOf returns the non-empty segments of a path.
export const segmentsOf = (path: string): string[] => path.split('/').filter(Boolean);

// label replaces characters that reverse the text around: "fdp.exe" could look like "exe.pdf".
export const label = (name: string): string => name.replace(/[\u0000-\u001f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');

// naturalKey returns a string that sorts IMG_9 before IMG_10, and é beside e.
export const naturalKey = (name: string): string => {
  const plain = /^[\u0000-\u007f]*$/.test(name) ? name : name.normalize('NFD').replace(/\p{M}/gu, '');
  return plain.toLowerCase().replace(/\d+/g, (digits) => {
    const short = digits.replace(/^0+(?=.)/, '');
    return String.fromCharCode(48 + Math.min(short.length, 9)) + short;
  });
};

const query = (props: string) => `<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop>${props}</D:prop></D:propfind>`;
const memberProps = '<D:resourcetype/><D:getcontentlength/><D:getlastmodified/><D:lockdiscovery/>';

const within = (element: Element, name: string): Element | null => element.getElementsByTagNameNS('DAV:', name)[0] ?? null;

const lockOf = (response: Element): Lock | null => {
  const active = within(response, 'activelock');
  if (!active) return null;
  const seconds = /^Second-(\d+)/.exec(within(active, 'timeout')?.textContent ?? '')?.[1];
  return { owner: label(within(active, 'owner')?.textContent?.trim() ?? '').slice(0, 80), until: seconds ? new Date(Date.now() + Number(seconds) * 1000) : null };
};

const entryOf = (response: Element): Entry | null => {
  const path = new URL(within(response, 'href')?.textContent ?? '', location.href).pathname;
  const segments = segmentsOf(path);
  const segment = segments.at(-1);
  if (segment === undefined) return null;
  const name = decoded(segment);
  const time = within(response, 'getlastmodified')?.textContent;
  return {
    name, segment, parent: path.slice(0, path.replace(/\/$/, '').lastIndexOf('/') + 1), folder: within(response, 'collection') !== null,
    size: Number(within(response, 'getcontentlength')?.textContent ?? 0), time: time ? Date.parse(time) : 0,
    lock: lockOf(response), key: naturalKey(name),
  };
};

// maxPiece is how much of a multi-status is parsed at a time, in characters.
const maxPiece = 48 * 1024;

// pause lets the browser draw and take input, if it could not for a while.
let drawn = 0;
const pause = async (): Promise<void> => {
  if (performance.now() - drawn < 12) return;
  const { scheduler } = globalThis as { scheduler?: { yield?: () => Promise<void> } };
  await (scheduler?.yield ? scheduler.yield() : new Promise<void>((done) => setTimeout(done)));
  drawn = performance.now();
};

// responses calls each with the responses of a multi-status while they arrive. It stays short of
// what a person notices, and never holds more than a part of the document.
const responses = async (answer: Response, each: (found: Element[]) => void): Promise<void> => {
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  const end = '</D:response>';
  const parser = new DOMParser();
  let head = '', rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    if (!head) {
      const start = rest.indexOf('<D:response>');
      if (start < 0) continue;
      head = rest.slice(0, start);
      rest = rest.slice(start);
    }
    for (let last; (last = rest.lastIndexOf(end, maxPiece)) >= 0;) {
      const ready = head + rest.slice(0, last + end.length) + '</D:multistatus>';
      rest = rest.slice(last + end.length);
      each([...parser.parseFromString(ready, 'text/xml').getElementsByTagNameNS('DAV:', 'response')]);
      await pause();
    }
    // A response that is longer than that is parsed when it is complete.
    const long = rest.length > maxPiece ? rest.indexOf(end) : -1;
    if (long < 0) continue;
    each([...parser.parseFromString(head + rest.slice(0, long + end.length) + '</D:multistatus>', 'text/xml').getElementsByTagNameNS('DAV:', 'response')]);
    rest = rest.slice(long + end.length);
  }
};

const propfind = async (path: string, depth: string, props: string, signal?: AbortSignal): Promise<Response> => {
  const answer = await fetch(path, { method: 'PROPFIND', headers: { Depth: depth, Prefer: 'return=minimal', 'Content-Type': 'application/xml' }, body: query(props), signal });
  if (answer.status !== 207) throw new Failed(answer.status);
  return answer;
};

// list calls each with the members of a collection while they arrive.
export const list = async (path: string, signal: AbortSignal, each: (found: Entry[]) => void): Promise<void> => {
  let first = true;
  await responses(await propfind(path, '1', memberProps, signal), (found) => {
    const entries = found.map(entryOf);
    if (first) entries.shift(); // the collection itself
    first = false;
    each(entries.filter((e) => e !== null).map((e) => ({ ...e, parent: path })));
  });
};

// search calls each with the members below a collection while they arrive. cut tells that the
// server left out a part.
export const search = async (path: string, signal: AbortSignal, each: (found: Entry[], cut: boolean) => void): Promise<void> => {
  let first = true, from = '';
  await responses(await propfind(path, 'infinity', memberProps, signal), (found) => {
    const cut = found.some((each) => / 507 /.test(each.getElementsByTagNameNS('DAV:', 'status')[0]?.textContent ?? ''));
    if (first) from = new URL(within(found[0]!, 'href')?.textContent ?? path, location.href).pathname;
    const entries = (first ? found.slice(1) : found).map(entryOf).filter((e) => e !== null);
    first = false;
    each(entries.map((e) => ({ ...e, parent: path + e.parent.slice(from.length) })), cut);
  });
};

export interface Rights { create: boolean; remove: boolean; write: boolean }

// rightsAt returns what the user may do with the members of a collection.
export const rightsAt = async (path: string): Promise<Rights> => {
  const xml = new DOMParser().parseFromString(await (await propfind(path, '0', '<D:current-user-privilege-set/>')).text(), 'text/xml');
  const has = (name: string) => xml.getElementsByTagNameNS('DAV:', name).length > 0;
  return { create: has('bind'), remove: has('unbind'), write: has('write-content') };
};

// request sends a request with headers and returns its answer, whatever the status.
export const request = (method: string, path: string, headers: Record<string, string> = {}): Promise<Response> => fetch(path, { method, headers });

// makeFolder creates a collection.
export const makeFolder = async (path: string): Promise<void> => {
  const { status } = await request('MKCOL', path);
  if (status !== 201) throw new Failed(status);
};
