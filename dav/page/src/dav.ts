// The WebDAV client of the page.
import type { Lock } from './multistatus';

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

const query = (props: string) => `<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop>${props}</D:prop></D:propfind>`;
export const memberProps = '<D:resourcetype/><D:getcontentlength/><D:getlastmodified/><D:lockdiscovery/>';

export const propfind = async (path: string, depth: string, props: string, signal?: AbortSignal): Promise<Response> => {
  const answer = await fetch(path, { method: 'PROPFIND', headers: { Depth: depth, Prefer: 'return=minimal', 'Content-Type': 'application/xml' }, body: query(props), signal });
  if (answer.status !== 207) throw new Failed(answer.status);
  return answer;
};

// Facts are what people compare of two resources with one name. time is 0 if it is unknown.
export interface Facts { folder: boolean; size: number; time: number }

// factsOf asks for those of a resource.
export const factsOf = async (path: string): Promise<Facts> => {
  const answer = await propfind(path, '0', '<D:resourcetype/><D:getcontentlength/><D:getlastmodified/>');
  const xml = new DOMParser().parseFromString(await answer.text(), 'text/xml');
  const property = (name: string) => xml.getElementsByTagNameNS('DAV:', name)[0];
  return { folder: !!property('collection'), size: Number(property('getcontentlength')?.textContent), time: Date.parse(property('getlastmodified')?.textContent ?? '') || 0 };
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
