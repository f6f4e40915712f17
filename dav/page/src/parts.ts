// Uploads in parts (draft-ietf-httpbis-resumable-upload), which continue after a lost connection or
// a reload of the page, and pass proxies that limit the length of a request.

// minParts is from which length a file is sent in parts, in bytes.
export const minParts = 8e6;

const smallestPart = 512 * 1024, largestPart = 256 * 1024 * 1024;

// A Sender sends one request of an upload. It resolves with the status, 0 for a lost connection, or
// -1 if it was aborted.
export type Sender = (method: string, path: string, headers: Record<string, string>, body: Blob | null) => Promise<{ status: number; header: (name: string) => string | null }>;

const keyOf = (path: string, file: File): string => `davd.upload.${path}.${file.size}.${file.lastModified}`;

const remember = (key: string, at: string | null): void => {
  try { if (at) localStorage.setItem(key, at); else localStorage.removeItem(key); } catch { /* private window */ }
};
const remembered = (key: string): string | null => { try { return localStorage.getItem(key); } catch { return null; } };

const version = { 'Upload-Draft-Interop-Version': '8' };

// partSize is what the proxies in front have let pass.
let partSize = 32 * 1024 * 1024;
// tooLarge is what they have refused, and passed how many parts have passed since the last failure.
let tooLarge = Infinity, passed = 4;

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

// sendParts uploads a file. progress tells how much has arrived. The result is the status of the
// last answer, or -1 if stopped.
export const sendParts = async (path: string, file: File, headers: Record<string, string>, send: Sender, progress: (bytes: number) => void, stopped: () => boolean): Promise<number> => {
  const key = keyOf(path, file);
  let at = remembered(key);
  let offset = at ? await offsetOf(at, stopped) : -1;
  if (offset < 0) {
    const begun = await send('PUT', path, { ...headers, ...version, 'Upload-Complete': '?0', 'Upload-Length': String(file.size) }, null);
    at = begun.header('Location');
    if (begun.status !== 201 || !at) return begun.status >= 200 && begun.status < 300 ? 501 : begun.status;
    offset = 0;
    remember(key, at);
  }
  while (!stopped()) {
    progress(offset);
    const until = Math.min(file.size, offset + partSize);
    const { status } = await send('PATCH', at!, {
      ...version, 'Content-Type': 'application/partial-upload', 'Upload-Offset': String(offset), 'Upload-Complete': until === file.size ? '?1' : '?0',
    }, file.slice(offset, until));
    if (status === -1) return -1;
    if (status >= 200 && status < 300) {
      if (until === file.size) { remember(key, null); return status; }
      offset = until;
      if (++passed > 4 && partSize * 2 < tooLarge) partSize = Math.min(largestPart, partSize * 2);
      continue;
    }
    passed = 0;
    if (status === 413 && partSize > smallestPart) {
      tooLarge = Math.min(tooLarge, partSize);
      partSize = Math.max(smallestPart, partSize / 2);
      continue;
    }
    if (status !== 0 && status !== 409 && status < 500) { remember(key, null); return status; }
    // The connection was lost, or the server was busy: continue where the upload is.
    partSize = Math.max(smallestPart, partSize / 2);
    offset = await offsetOf(at!, stopped);
    if (offset < 0 && !stopped()) { remember(key, null); return 404; }
  }
  return -1;
};
