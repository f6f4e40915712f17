// Uploads in parts (draft-ietf-httpbis-resumable-upload), which continue after a lost connection or
// a reload of the page, and pass proxies that limit the length of a request.

// minParts is from which length a file is sent in parts, in bytes. A pause ends only these requests.
export const minParts = 1e6;

const smallestPart = 512 * 1024, largestPart = 256 * 1024 * 1024;

// longest is how long a request may take, in milliseconds. A proxy may hold back all of a request, and
// then a lost connection loses that.
const longest = 30_000;

// A Sender sends one request of an upload. It resolves with the status, 0 for a lost connection, or
// -1 if it was aborted. tooSlow is asked while the body is being sent.
export type Sender = (method: string, path: string, headers: Record<string, string>, body: Blob | null, tooSlow?: (sent: number, time: number) => boolean) =>
Promise<{ status: number; header: (name: string) => string | null }>;

const keyOf = (path: string, file: File): string => `davd.upload.${path}.${file.size}.${file.lastModified}`;

const remember = (key: string, at: string | null): void => {
  try { if (at) localStorage.setItem(key, at); else localStorage.removeItem(key); } catch { /* private window */ }
};
const remembered = (key: string): string | null => { try { return localStorage.getItem(key); } catch { return null; } };

const version = { 'Upload-Draft-Interop-Version': '8' };

// partSize is what the proxies in front have let pass, and what arrives in a third of longest.
let partSize = 32 * 1024 * 1024;
// tooLarge is what they have refused, and passed how many parts have passed since the last failure.
let tooLarge = Infinity, passed = 4;
// whole tells that a file may be sent in one part. Chromium reads a whole file in half of the time
// that it needs for slices.
let whole = true;

// offsetOf asks how much of an upload has arrived. It returns -1 if the upload has gone, and waits
// while the server can't be reached.
const offsetOf = async (at: string, stopped: () => boolean): Promise<number> => {
  for (let wait = 500; !stopped(); wait = Math.min(wait * 2, 15000)) {
    const answer = await fetch(at, { method: 'HEAD', cache: 'no-store', headers: version }).catch(() => null);
    if (answer?.ok) return Number(answer.headers.get('Upload-Offset'));
    if (answer && answer.status < 500 && answer.status !== 429) return -1;
    await new Promise((done) => setTimeout(done, wait));
  }
  return -1;
};

// tooSlow tells that the whole file would take too long.
const tooSlow = (file: File) => (sent: number, time: number): boolean => {
  if (time < 2000 || sent / time * longest >= file.size) return false;
  partSize = Math.min(largestPart, Math.max(smallestPart, sent / time * longest / 3));
  return true;
};

// grow makes parts larger after one of them has passed.
const grow = (time: number): void => {
  if (++passed > 4 && time < longest / 6 && partSize * 2 < tooLarge) partSize = Math.min(largestPart, partSize * 2);
};

// shrink makes parts smaller after a failure.
const shrink = (refused: boolean): void => {
  passed = 0;
  if (refused) tooLarge = Math.min(tooLarge, partSize);
  partSize = Math.max(smallestPart, partSize / 2);
};

// begin creates an upload. The result is its URL, or the status of another answer.
const begin = async (path: string, file: File, headers: Record<string, string>, send: Sender): Promise<string | number> => {
  const { status, header } = await send('PUT', path, { ...headers, ...version, 'Upload-Complete': '?0', 'Upload-Length': String(file.size) }, null);
  const at = header('Location');
  if (status === 201 && at) return at;
  return status >= 200 && status < 300 ? 501 : status;
};

// Watcher is told about an upload: its URL when it has begun or continues, how much has arrived, and
// that it has ended. stopped tells that it should pause.
export interface Watcher { begun: (at: string) => void; progress: (bytes: number) => void; ended: (at: string) => void; stopped: () => boolean }

// sendParts uploads a file. The result is the status of the last answer, or -1 if stopped.
export const sendParts = async (path: string, file: File, headers: Record<string, string>, send: Sender, { begun, progress, ended, stopped }: Watcher): Promise<number> => {
  const key = keyOf(path, file);
  const finish = (status: number): number => { remember(key, null); ended(at!); return status; };
  let at = remembered(key), offset = at ? await offsetOf(at, stopped) : -1;
  if (stopped()) return -1;
  if (offset < 0) {
    if (at) ended(at); // it has gone
    const made = await begin(path, file, headers, send);
    if (typeof made === 'number') return made;
    at = made;
    offset = 0;
    remember(key, at);
  }
  begun(at!);
  while (!stopped()) {
    progress(offset);
    const all = offset === 0 && (whole || file.size <= partSize), until = all ? file.size : Math.min(file.size, offset + partSize), start = performance.now();
    const { status } = await send('PATCH', at!, {
      ...version, 'Content-Type': 'application/partial-upload', 'Upload-Offset': String(offset), 'Upload-Complete': until === file.size ? '?1' : '?0',
    }, all ? file : file.slice(offset, until), all && file.size > partSize ? tooSlow(file) : undefined);
    if (status === -1 && stopped()) return -1;
    if (status >= 200 && status < 300) {
      if (until === file.size) return finish(status);
      offset = until;
      grow(performance.now() - start);
      continue;
    }
    const refused = status === 413;
    if (status > 0 && status !== 409 && status < 500 && !(refused && until - offset > smallestPart)) return finish(status);
    if (all && until > partSize) whole = false;
    else if (status !== -1) shrink(refused);
    // The connection was lost, or the server was busy: continue where the upload is.
    if (!refused) offset = await offsetOf(at!, stopped);
    if (offset < 0 && !stopped()) return finish(404);
  }
  return -1;
};
