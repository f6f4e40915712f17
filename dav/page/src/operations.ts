// Long operations: COPY, MOVE and DELETE with respond-async, followed by their status documents.
import { signal } from '@preact/signals';
import { Failed } from './dav';
import { operationsPath } from './state';

// Status is the status document of an operation.
export interface Status {
  id: string; method: string; source: string; destination?: string;
  state: 'running' | 'finished' | 'stopped' | 'interrupted'; stopping?: boolean; status: number | null; reason?: string;
  stoppedBy?: 'you' | 'owner' | 'administrator' | 'client'; rollsBack: boolean; principal?: string;
  progress: { done: number; total: number | null; totalFinal: boolean; bytes: number; totalBytes: number | null; current: string };
  rate: { members: number; bytes: number }; estimate: number | null;
  failures: { href: string; status: number }[]; failuresTotal: number;
}

// operations are those that run, and those that have ended while this page showed them.
export const operations = signal<readonly Status[]>([]);

// More streams would take the connections that a browser has for a server over HTTP/1.1.
const maxStreams = 2;
const streams = new Map<string, EventSource>();
const waiters = new Map<string, ((ended: Status) => void)[]>();
const dismissed = new Set<string>();
const others = new BroadcastChannel('davd' + operationsPath);

const show = (status: Status): void => {
  if (dismissed.has(status.id)) return;
  const all = operations.value;
  const at = all.findIndex(({ id }) => id === status.id);
  operations.value = at < 0 ? [...all, status] : all.with(at, status);
  if (status.state === 'running') return;
  streams.get(status.id)?.close();
  streams.delete(status.id);
  waiters.get(status.id)?.forEach((done) => done(status));
  waiters.delete(status.id);
};

const follow = (id: string): void => {
  if (streams.has(id) || streams.size >= maxStreams) return;
  const events = new EventSource(operationsPath + id);
  streams.set(id, events);
  const take = (e: MessageEvent<string>) => show(JSON.parse(e.data) as Status);
  events.addEventListener('progress', take);
  events.addEventListener('end', take);
  events.addEventListener('error', () => {
    if (events.readyState !== EventSource.CLOSED) return; // the browser connects again
    streams.delete(id);
    schedule();
  });
};

const read = async <T>(path: string): Promise<T | null> => {
  try {
    const answer = await fetch(path, { headers: { Accept: 'application/json' } });
    return answer.ok ? await answer.json() as T : null;
  } catch {
    return null;
  }
};

let timer = 0;
const schedule = (): void => {
  clearTimeout(timer);
  if (operations.value.some(({ state }) => state === 'running')) timer = window.setTimeout(() => void refresh(), 2000);
};

// refresh finds running operations, also those that another tab or an earlier page has begun.
export const refresh = async (): Promise<void> => {
  const found = await read<{ operations: Status[] }>(operationsPath);
  // A listing, such as that of this page, changes nothing that people wait for.
  const known = new Map((found?.operations ?? []).filter(({ method }) => method !== 'PROPFIND').map((each) => [each.id, each]));
  for (const each of known.values()) if (each.state === 'running' && !streams.has(each.id)) show(each);
  for (const { id, state } of operations.value) {
    if (state !== 'running' || streams.has(id)) continue;
    const now = await read<Status>(operationsPath + id);
    if (now) show(now);
    if (now?.state === 'running') follow(id);
  }
  schedule();
};
others.addEventListener('message', () => void refresh());
document.addEventListener('visibilitychange', () => { if (!document.hidden) void refresh(); });

// operate sends a COPY, MOVE or DELETE and waits until it has ended. It returns the status, and the
// status document if it took long.
export const operate = async (method: string, path: string, headers: Record<string, string>): Promise<{ status: number; document?: Status }> => {
  const answer = await fetch(path, { method, headers: { ...headers, Prefer: 'respond-async' } }).catch(() => { throw new Failed(0); });
  const at = answer.headers.get('Location');
  if (answer.status !== 202 || !at) return { status: answer.status };
  const id = at.slice(at.lastIndexOf('/') + 1);
  const ended = new Promise<Status>((done) => waiters.set(id, [...waiters.get(id) ?? [], done]));
  const first = await read<Status>(operationsPath + id);
  if (first) show(first);
  if (first?.state === 'running') follow(id);
  others.postMessage('begun');
  schedule();
  const document = await ended;
  return { status: document.state === 'finished' ? document.status ?? 200 : 0, document };
};

// stop stops an operation and rolls it back.
export const stop = async (status: Status): Promise<void> => {
  show({ ...status, stopping: true });
  await fetch(operationsPath + status.id, { method: 'DELETE' }).catch(() => {});
  schedule();
};

export const dismiss = (id: string): void => {
  dismissed.add(id);
  operations.value = operations.value.filter((each) => each.id !== id);
};
