// What the user can do with entries.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { decoded, Failed, href, label, makeFolder, rightsAt, type Entry } from './dav';
import { ask, askName, confirmDelete, conflicts, Dialog } from './dialog';
import { freeName } from './files';
import { Icon } from './icons';
import { read } from './listings';
import { operate } from './operations';
import { mayDo } from './rights';
import { activate, load, message, path, root, selection } from './state';
import { text } from './text';

const failed = (status: number): void => { message.value = text.failedStatus(status); };

const destination = (folder: string, segment: string): string => location.origin + folder + segment;

export const createFolder = async (): Promise<void> => {
  const name = await askName(text.newFolder, text.folderName, '', text.create);
  if (name === null) return;
  try {
    await makeFolder(path.value + encodeURIComponent(name) + '/');
    message.value = text.createdFolder(label(name));
  } catch (error) {
    if (error instanceof Failed && error.status === 405) message.value = text.nameTaken;
    else failed(error instanceof Failed ? error.status : 0);
  }
  await load(true);
  activate(name);
};

export const rename = async (e: Entry): Promise<void> => {
  if (!await mayDo([e], 'MOVE')) { failed(403); return; }
  const name = await askName(text.rename, text.newName(label(e.name)), e.name, text.save);
  if (name === null || name === e.name) return;
  const { status } = await operate('MOVE', href(e), { Destination: destination(e.parent, encodeURIComponent(name)), Overwrite: 'F' });
  if (status === 412) message.value = text.nameTaken;
  else if (status >= 300 || !status) failed(status);
  await load(true);
  activate(name);
};

export const remove = async (chosen: Entry[]): Promise<void> => {
  if (!chosen.length) return;
  if (!await mayDo(chosen, 'DELETE')) { failed(403); return; }
  if (!await confirmDelete(chosen.map(({ name }) => label(name)), chosen.some(({ folder }) => folder))) return;
  selection.value = new Set();
  const answers = await Promise.all(chosen.length > 50 ? await inTurn(chosen, (e) => operate('DELETE', href(e), {})) : chosen.map((e) => operate('DELETE', href(e), {})));
  const wrong = answers.find(({ status, document }) => !document && (status >= 300 || status === 207));
  if (wrong) failed(wrong.status);
  else if (answers.every(({ document }) => !document)) message.value = text.deletedItems(chosen.length);
  void load(true);
};

const inTurn = async <T, R>(all: T[], each: (one: T) => Promise<R>): Promise<R[]> => {
  const results: R[] = [];
  for (const one of all) results.push(await each(one));
  return results;
};

// transfer copies or moves entries into a collection, and asks once about names that exist.
export const transfer = async (method: 'COPY' | 'MOVE', chosen: Entry[], to: string): Promise<void> => {
  if (!await mayDo(chosen, method)) { failed(403); return; }
  const resolve = conflicts();
  selection.value = new Set();
  let worst = 0, count = 0;
  const one = async (e: Entry): Promise<void> => {
    if (e.parent === to && method === 'MOVE') return;
    let segment = e.segment, overwrite = 'F';
    for (let n = 1; ;) {
      const { status, document } = await operate(method, href(e), { Destination: destination(to, segment), Overwrite: overwrite });
      if (status !== 412 && !(status === 403 && e.parent === to)) {
        if (status >= 200 && status < 300 && status !== 207) count++; else if (!document) worst = status || -1;
        return;
      }
      const how = e.parent === to || n > 1 ? 'both' : await resolve({ name: label(e.name), at: to + segment, mine: e, more: chosen.length > 1 });
      if (how === 'skip') return;
      if (how === 'replace') overwrite = 'T'; else segment = encodeURIComponent(freeName(e.name, ++n));
    }
  };
  await Promise.all(chosen.map(one));
  if (worst) failed(Math.max(worst, 0));
  else if (count) message.value = method === 'COPY' ? text.copiedItems(count) : text.movedItems(count);
  void load(true);
};

interface Folder { name: string; path: string }

const Choosing = ({ title, action, answer, without }: { title: string; action: string; answer: (to: string | null) => void; without: Set<string> }) => {
  const [at, setAt] = useState(path.value);
  const [found, setFound] = useState<Folder[]>([]);
  const [wrong, setWrong] = useState('');
  const [open, setOpen] = useState(true);
  const folders = useRef<HTMLUListElement>(null);
  // The chosen folder is not in the list any more: the focus goes to the list, where the arrow and Tab keys lead on.
  useLayoutEffect(() => { if (!document.activeElement?.closest('.choose button, .buttons, .at')) folders.current?.focus(); }, [found]);
  useEffect(() => {
    const reading = new AbortController();
    setWrong('');
    const show = (all: Entry[]) => setFound(all.filter((e) => e.folder && !without.has(href(e))).map((e) => ({ name: e.name, path: href(e) })));
    read({ path: at, order: { by: 'name', backwards: false }, whole: true }, reading.signal, show).ended
      .catch((error) => { if (!reading.signal.aborted) { setFound([]); setWrong(text.failedStatus(error instanceof Failed ? error.status : 0)); } });
    rightsAt(at).then(({ create }) => { if (!reading.signal.aborted) setOpen(create); }, () => setOpen(false));
    return () => reading.abort();
  }, [at]);
  const parent = at === root ? null : at.slice(0, at.slice(0, -1).lastIndexOf('/') + 1);
  const here = at === root ? text.home : decoded(at.slice(0, -1).slice(at.slice(0, -1).lastIndexOf('/') + 1));
  return (
    <Dialog title={title} onClose={() => answer(null)}>
      <div class="at">{parent !== null && <button type="button" class="icon" aria-label={text.up} title={text.up} onClick={() => setAt(parent)}><Icon name="up" /></button>}<strong><bdi>{label(here)}</bdi></strong></div>
      <ul ref={folders} class="choose" tabIndex={-1} aria-label={label(here)}>
        {found.map((each) => <li key={each.path}><button type="button" onClick={() => setAt(each.path)}><Icon name="folder" /><bdi>{label(each.name)}</bdi></button></li>)}
        {!found.length && <li class="muted">{wrong || text.noFolders}</li>}
      </ul>
      <p class="muted" role="status">{!open && !wrong && text.notHere}</p>
      <div class="buttons"><button type="button" onClick={() => answer(null)}>{text.cancel}</button><button type="button" class="primary" disabled={!open} onClick={() => answer(at)}>{action}</button></div>
    </Dialog>
  );
};

export const moveOrCopy = async (method: 'COPY' | 'MOVE', chosen: Entry[]): Promise<void> => {
  const [title, action] = method === 'MOVE' ? [text.chooseMove(chosen.length), text.moveHere] : [text.chooseCopy(chosen.length), text.copyHere];
  const without = new Set(chosen.filter(({ folder }) => folder).map(href));
  const to = await ask<string>((answer) => <Choosing {...{ title, action, answer, without }} />);
  if (to !== null) await transfer(method, chosen, to);
};

// download downloads a file, or several entries as one archive.
export const download = (chosen: Entry[]): void => {
  const [only] = chosen;
  if (!only) return;
  const link = document.createElement('a');
  link.href = chosen.length === 1 && !only.folder ? href(only)
    : chosen.length === 1 ? href(only) + '?zip'
      : only.parent + '?zip&' + chosen.map((e) => 'name=' + e.segment).join('&');
  link.download = chosen.length === 1 && !only.folder ? only.name : '';
  link.click();
};

const Mounting = ({ answer }: { answer: (value: null) => void }) => {
  const address = location.origin + path.value;
  const host = location.host, secure = location.protocol === 'https:';
  const dav = address.replace(/^http/, 'dav');
  const lines: [string, string][] = [
    [text.address, address],
    ['Windows', `net use * ${address}`],
    ['macOS', `open '${address.replace(/'/g, '%27')}'`],
    ['GNOME', `gio mount '${dav.replace(/'/g, '%27')}'`],
    ['KDE', `dolphin 'webdav${secure ? 's' : ''}://${host}${path.value.replace(/'/g, '%27')}'`],
    ['Linux, davfs2', `mount -t davfs '${address.replace(/'/g, '%27')}' /mnt`],
    ['rclone', `rclone lsf --webdav-url '${address.replace(/'/g, '%27')}' :webdav:`],
  ];
  // After the address comes the person's own system.
  const mine = /Windows/.test(navigator.userAgent) ? 'Windows' : /Mac OS X/.test(navigator.userAgent) ? 'macOS' : 'GNOME';
  const rank = (name: string): number => name === text.address ? 0 : name === mine ? 1 : 2;
  lines.sort(([a], [b]) => rank(a) - rank(b));
  const [copied, setCopied] = useState('');
  const copy = async (name: string, what: string) => { await navigator.clipboard?.writeText(what); setCopied(name); };
  return (
    <Dialog title={text.mount} onClose={() => answer(null)} wide>
      <p>{text.mountHint}</p>
      <dl class="mount">{lines.map(([name, line]) => (
        <div key={name}><dt>{name}</dt><dd><code>{line}</code><button type="button" class="icon" aria-label={text.copyIt(name)} title={text.copyIt(name)} onClick={() => void copy(name, line)}><Icon name={copied === name ? 'done' : 'copy'} /></button></dd></div>
      ))}</dl>
      <span class="hidden" role="status">{copied && text.copied(copied)}</span>
      <div class="buttons"><button type="button" onClick={() => answer(null)}>{text.close}</button></div>
    </Dialog>
  );
};
export const mount = () => ask<null>((answer) => <Mounting answer={answer} />);

