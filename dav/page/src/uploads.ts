// Uploads: files that wait, are being sent, and have been sent.
import { batch, computed, signal, type Signal } from '@preact/signals';
import { label } from './dav';
import { conflicts, type Clash, type Resolution } from './dialog';
import { freeName } from './files';
import { fileOf, forget, interrupted, keep, type Interrupted } from './interrupted';
import { minParts, sendParts, type Sender } from './parts';
import { load, path, message } from './state';
import { reason, text } from './text';

export interface Upload {
  id: number;
  file: File;
  handle: FileSystemFileHandle | null;
  // folder is the URL path of the collection, name the name of the new member.
  folder: string;
  name: string;
  state: Signal<'waiting' | 'sending' | 'done' | 'failed' | 'skipped'>;
  sent: Signal<number>;
  error: string;
  // unsure tells that an answer was lost, so that the file may be there already.
  unsure: boolean;
  ask: (clash: Clash) => Promise<Resolution>;
  // more tells that others were chosen with it.
  more: boolean;
}

// parallel is how many files are sent at a time. Browsers have six connections for a server.
const parallel = 4;

export const uploads = signal<readonly Upload[]>([]);
export const paused = signal(false);
export const tally = signal({ done: 0, failed: 0, total: 0, bytes: 0, sent: 0, rate: 0 });
export const busy = computed(() => tally.value.done + tally.value.failed < tally.value.total);

let ids = 0, next = 0, sending = 0;
const requests = new Map<Upload, XMLHttpRequest>();
const folders = new Map<string, Promise<unknown>>();

// The rate is that of the last seconds.
const marks: { at: number; sent: number }[] = [];
let ticking = 0;
const tick = (): void => {
  const now = performance.now(), t = tally.value;
  let sent = finishedBytes;
  for (const u of requests.keys()) sent += u.sent.peek();
  marks.push({ at: now, sent });
  while (marks.length > 2 && now - marks[0]!.at > 5000) marks.shift();
  const since = now - marks[0]!.at;
  tally.value = { ...t, done, failed, sent, rate: since > 300 ? Math.max(0, sent - marks[0]!.sent) * 1000 / since : t.rate };
  if (done + failed < t.total) return;
  clearInterval(ticking);
  ticking = 0;
  message.value = text.uploaded(t.total, failed);
  void load(true);
};
let done = 0, failed = 0, finishedBytes = 0;

// makeFolder creates a collection. If that fails because it exists, all is well; otherwise the PUTs
// into it fail.
const makeFolder = (at: string): Promise<unknown> => fetch(at, { method: 'MKCOL' }).catch(() => {});

const end = (u: Upload, state: 'done' | 'failed' | 'skipped', error = ''): void => batch(() => {
  u.error = error;
  u.state.value = state;
  if (state === 'failed') failed++; else done++;
  finishedBytes += u.file.size;
});

// exchange sends one request of an upload.
const exchange = (u: Upload, before: number): Sender => (method, at, headers, body, tooSlow) => new Promise((resolve) => {
  const request = new XMLHttpRequest();
  requests.set(u, request);
  request.open(method, at);
  for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
  const sent = before < 0 ? u.sent.peek() : before;
  if (body && u.file.size > 1e6) {
    const start = performance.now();
    request.upload.onprogress = (e) => {
      u.sent.value = sent + e.loaded;
      if (tooSlow?.(e.loaded, performance.now() - start)) request.abort();
    };
  }
  const settle = (status: number) => { requests.delete(u); resolve({ status, header: (name) => request.getResponseHeader(name) }); };
  request.onload = () => settle(request.status);
  request.onerror = () => settle(0);
  request.onabort = () => settle(-1);
  request.send(body);
});

// put sends the content and returns the status of the answer.
const put = async (u: Upload, overwrite: boolean): Promise<number> => {
  const headers: Record<string, string> = { 'X-OC-Mtime': String(Math.floor(u.file.lastModified / 1000)) };
  if (!overwrite) headers['If-None-Match'] = '*';
  const at = u.folder + encodeURIComponent(u.name);
  if (u.file.size >= minParts && parts) {
    const status = await sendParts(at, u.file, headers, exchange(u, -1), {
      begun: (at) => keep({ at, folder: u.folder, name: u.name, size: u.file.size, modified: u.file.lastModified, handle: u.handle }),
      progress: (bytes) => { u.sent.value = bytes; }, ended: forget, stopped: () => paused.peek(),
    });
    if (status !== 501) return status;
    parts = false; // this server has none
  }
  return (await exchange(u, 0)('PUT', at, headers, u.file)).status;
};
let parts = true;

// arrived tells whether a file is there as it was sent.
const arrived = async (u: Upload): Promise<boolean> => {
  const answer = await fetch(u.folder + encodeURIComponent(u.name), { method: 'HEAD', cache: 'no-store' }).catch(() => null);
  return answer?.ok === true && Number(answer.headers.get('Content-Length')) === u.file.size
    && Date.parse(answer.headers.get('Last-Modified') ?? '') === Math.floor(u.file.lastModified / 1000) * 1000;
};

// maxTries is how often a small file is sent if the connection is lost each time.
const maxTries = 5;

const send = async (u: Upload): Promise<void> => {
  u.state.value = 'sending';
  await folders.get(u.folder);
  let overwrite = false;
  for (let n = 1, tries = 1; ;) {
    u.sent.value = 0;
    const status = await put(u, overwrite);
    if (paused.peek() && status <= 0) { u.state.value = 'waiting'; return; }
    if (status === -1) continue; // it goes on already
    if (status === 200 || status === 201 || status === 204) return end(u, 'done');
    if (status === 0 && tries++ < maxTries) {
      u.unsure = true;
      await new Promise((done) => setTimeout(done, 250 << tries));
      continue;
    }
    if (status !== 412) return end(u, 'failed', reason(status));
    if (u.unsure && await arrived(u)) return end(u, 'done');
    const how = n > 1 ? 'both' : await u.ask({ name: label(u.name), at: u.folder + encodeURIComponent(u.name), mine: { folder: false, size: u.file.size, time: u.file.lastModified }, more: u.more });
    if (how === 'skip') return end(u, 'skipped');
    if (how === 'replace') overwrite = true; else u.name = freeName(u.file.name, ++n);
  }
};

// Small files are sent many at a time, in a form whose answer has the status of each file.
const maxSmall = 128 * 1024, maxForm = 900_000, maxFormFiles = 64;
let forms = true;
const isSmall = (u: Upload): boolean => forms && !u.unsure && u.file.size <= maxSmall && /^[^"\\/\u0000-\u001f\u007f]+$/.test(u.name);

// formFrom returns a small file, which is the one before next, and the small ones behind it.
const formFrom = (first: Upload): Upload[] => {
  const all = uploads.peek(), some = [first];
  for (let bytes = first.file.size; next < all.length && some.length < maxFormFiles; next++) {
    const u = all[next]!;
    if (u.state.peek() !== 'waiting' || u.folder !== first.folder || !isSmall(u) || (bytes += u.file.size) > maxForm) break;
    some.push(u);
  }
  return some;
};

// results returns the status of each file. It is null if the server has not accepted the form, and
// empty if the answer was lost.
const results = async (some: Upload[]): Promise<number[] | null> => {
  const form = new FormData();
  for (const { file, name } of some) {
    form.append('modified', String(Math.floor(file.lastModified / 1000)));
    form.append('file', file, name);
  }
  try {
    const answer = await fetch(some[0]!.folder, { method: 'POST', headers: { Accept: 'application/json' }, body: form });
    if (!answer.ok) return answer.status < 500 ? null : [];
    return (await answer.json() as { files: { status: number }[] }).files.map(({ status }) => status);
  } catch {
    return [];
  }
};

// sendForm sends small files. Those that were not placed and not refused are sent one by one.
const sendForm = async (some: Upload[]): Promise<void> => {
  batch(() => { for (const u of some) u.state.value = 'sending'; });
  await folders.get(some[0]!.folder);
  const statuses = await results(some);
  if (!statuses) forms = false;
  batch(() => some.forEach((u, i) => {
    const status = statuses?.[i];
    if (status === undefined) u.unsure = statuses !== null;
    else if (status === 200 || status === 201 || status === 204) end(u, 'done');
    else if (status !== 412 && status < 500) end(u, 'failed', reason(status));
  }));
  for (const u of some) {
    if (u.state.peek() !== 'sending') continue;
    if (paused.peek()) u.state.value = 'waiting'; else await send(u);
  }
};

const pump = (): void => {
  if (!ticking && busy.peek()) ticking = window.setInterval(tick, 300);
  while (!paused.peek() && sending < parallel && next < uploads.peek().length) {
    const u = uploads.peek()[next++]!;
    if (u.state.peek() !== 'waiting') continue;
    sending++;
    const some = isSmall(u) ? formFrom(u) : [u];
    void (some.length > 1 ? sendForm(some) : send(u)).finally(() => {
      sending--;
      if (ticking && done + failed >= tally.peek().total) tick();
      pump();
    });
  }
};

// Chosen is a file to upload. Its name may have folders in it.
export interface Chosen { file: File; name: string; handle?: FileSystemFileHandle | null }

// add uploads files into a collection.
export const add = (files: Chosen[], to = path.peek()): void => {
  if (!files.length) return;
  if (!busy.peek()) { clearDone(); marks.length = 0; }
  const ask = conflicts();
  const added = files.map(({ file, name, handle = null }): Upload => {
    const segments = name.split('/').filter(Boolean);
    const last = segments.pop() ?? file.name;
    let folder = to;
    let before: Promise<unknown> = Promise.resolve();
    for (const segment of segments) {
      const at = folder += encodeURIComponent(segment) + '/';
      if (!folders.has(at)) folders.set(at, before.then(() => makeFolder(at)));
      before = folders.get(at)!;
    }
    return { id: ++ids, file, handle, folder, name: last, state: signal('waiting'), sent: signal(0), error: '', unsure: false, ask, more: files.length > 1 };
  });
  uploads.value = [...uploads.value, ...added];
  const t = tally.value;
  tally.value = { ...t, total: t.total + added.length, bytes: t.bytes + added.reduce((sum, u) => sum + u.file.size, 0) };
  pump();
};

// clearDone forgets all uploads if none is under way.
export const clearDone = (): void => {
  if (busy.peek()) return;
  uploads.value = [];
  next = done = failed = finishedBytes = 0;
  folders.clear();
  tally.value = { done: 0, failed: 0, total: 0, bytes: 0, sent: 0, rate: 0 };
};

// setPaused pauses or continues. Requests about small files end by themselves; a large file continues
// where it was, if the server accepts parts.
export const setPaused = (now: boolean): void => {
  paused.value = now;
  if (now) for (const [u, request] of requests) { if (u.file.size >= minParts) request.abort(); }
  else { next = 0; pump(); }
};

// retry sends a failed file again.
export const retry = (u: Upload): void => {
  failed--;
  finishedBytes -= u.file.size;
  u.state.value = 'waiting';
  next = 0;
  tally.value = { ...tally.value, failed };
  pump();
};

// resume continues an upload of an earlier page.
export const resume = async (upload: Interrupted): Promise<void> => {
  const file = await fileOf(upload);
  if (!file) return;
  if (file.size !== upload.size || file.lastModified !== upload.modified) { message.value = text.otherFile; return; }
  interrupted.value = interrupted.value.filter(({ at }) => at !== upload.at);
  add([{ file, name: upload.name, handle: upload.handle }], upload.folder);
};

// choose asks for files in the way that gives handles, if the browser has it. Otherwise it calls ask.
export const choose = async (ask: () => void): Promise<void> => {
  const { showOpenFilePicker: pick } = window as { showOpenFilePicker?: (options: { multiple: boolean }) => Promise<FileSystemFileHandle[]> };
  if (!pick) { ask(); return; }
  const handles = await pick({ multiple: true }).catch(() => []); // the person has cancelled
  add(await Promise.all(handles.map(async (handle) => { const file = await handle.getFile(); return { file, name: file.name, handle }; })));
};

// fromDrop returns the files of a drop or a paste, with those in folders.
export const fromDrop = async (data: DataTransfer): Promise<Chosen[]> => {
  const found: Chosen[] = [];
  const walk = async (entry: FileSystemEntry, at: string): Promise<void> => {
    if (entry.isFile) {
      found.push({ file: await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)), name: at + entry.name });
      return;
    }
    const reader = (entry as FileSystemDirectoryEntry).createReader();
    for (;;) {
      const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) return;
      for (const each of some) await walk(each, at + entry.name + '/');
    }
  };
  // All must be asked before the event ends.
  const items = [...data.items].filter(({ kind }) => kind === 'file').map((item) => ({
    entry: item.webkitGetAsEntry?.() ?? null, file: item.getAsFile(),
    handle: (item as { getAsFileSystemHandle?: () => Promise<FileSystemHandle | null> }).getAsFileSystemHandle?.().catch(() => null) ?? null,
  }));
  for (const { entry, file, handle } of items) {
    if (entry?.isDirectory) await walk(entry, '');
    else if (file) found.push({ file, name: file.name, handle: await handle as FileSystemFileHandle | null });
  }
  return found;
};
addEventListener('beforeunload', (e) => { if (busy.peek()) e.preventDefault(); });
