// Uploads that an earlier page has begun and not ended. Chromium lets a page keep a handle of a file,
// so that a person who continues need not choose the file again.
import { signal } from '@preact/signals';
import { operationsPath } from './state';

export interface Interrupted {
  // at is the URL path of the upload, folder that of the collection of the file.
  at: string; folder: string; name: string;
  size: number; modified: number;
  handle: FileSystemFileHandle | null;
  // server tells apart several servers in one origin.
  server: string;
}

export const interrupted = signal<readonly (Interrupted & { sent: number })[]>([]);

const database = (): Promise<IDBDatabase> => new Promise((resolve, reject) => {
  const opening = indexedDB.open('davd', 1);
  opening.onupgradeneeded = () => { opening.result.createObjectStore('uploads', { keyPath: 'at' }); };
  opening.onsuccess = () => resolve(opening.result);
  opening.onerror = () => reject(opening.error);
});

const stored = async <T>(mode: IDBTransactionMode, use: (uploads: IDBObjectStore) => IDBRequest<T>): Promise<T | null> => {
  const db = await database().catch(() => null); // null in some private windows
  if (!db) return null;
  return new Promise<T | null>((resolve) => {
    const request = use(db.transaction('uploads', mode).objectStore('uploads'));
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => resolve(null);
  }).finally(() => db.close());
};

// While a page sends an upload, it holds a lock, so that other tabs don't take it for interrupted.
const lockOf = (at: string): string => `davd upload ${at}`;
const releases = new Map<string, () => void>();

// keep remembers an upload that has begun.
export const keep = (upload: Omit<Interrupted, 'server'>): void => {
  if (releases.has(upload.at)) return;
  const released = new Promise<void>((release) => releases.set(upload.at, release));
  void navigator.locks?.request(lockOf(upload.at), () => released);
  void stored('readwrite', (uploads) => uploads.put({ ...upload, server: operationsPath }));
};

// forget forgets an upload that has ended.
export const forget = (at: string): void => {
  releases.get(at)?.();
  releases.delete(at);
  interrupted.value = interrupted.value.filter((each) => each.at !== at);
  void stored('readwrite', (uploads) => uploads.delete(at));
};

// find shows the interrupted uploads that the server still has.
export const find = async (): Promise<void> => {
  if (!navigator.locks) return; // the connection is not secure
  const all = (await stored<Interrupted[]>('readonly', (uploads) => uploads.getAll()) ?? []).filter(({ server }) => server === operationsPath);
  if (!all.length) return;
  const held = new Set((await navigator.locks.query()).held?.map(({ name }) => name));
  for (const each of all) {
    if (held.has(lockOf(each.at))) continue;
    const answer = await fetch(each.at, { method: 'HEAD', cache: 'no-store' }).catch(() => null);
    if (answer?.ok && answer.headers.get('Upload-Complete') === '?0') interrupted.value = [...interrupted.value, { ...each, sent: Number(answer.headers.get('Upload-Offset')) }];
    else if (answer?.ok || answer?.status === 404) forget(each.at);
  }
};

// chosen asks for a file.
const chosen = (): Promise<File | null> => new Promise((resolve) => {
  const input = document.createElement('input');
  input.type = 'file';
  input.onchange = () => resolve(input.files?.[0] ?? null);
  input.oncancel = () => resolve(null);
  input.click();
});

// fileOf returns the file of an upload, or null without permission, or if it is no longer there.
export const fileOf = async ({ handle }: Interrupted): Promise<File | null> => {
  if (!handle) return chosen();
  const asking = handle as { requestPermission?: (options: { mode: 'read' }) => Promise<PermissionState> };
  if (asking.requestPermission && await asking.requestPermission({ mode: 'read' }) !== 'granted') return null;
  return handle.getFile().catch(() => chosen());
};

export const discard = async (upload: Interrupted): Promise<void> => {
  await fetch(upload.at, { method: 'DELETE' }).catch(() => {});
  forget(upload.at);
};
