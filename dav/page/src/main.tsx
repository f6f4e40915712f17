import '../../internal/browser/style.css';
import 'photoswipe/style.css';
import './app.css';
import { signal } from '@preact/signals';
import { render } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import * as actions from './actions';
import { Activity } from './activity';
import { Button, EntryMenu, Selected } from './choices';
import { label } from './dav';
import { Dialogs } from './dialog';
import { type Column } from './files';
import { keepFocus } from './focus';
import { Icon } from './icons';
import { find } from './interrupted';
import { Listing, target } from './listing';
import { refresh } from './operations';
import { crumbs, endSearch, entries, failure, filter, hidden, load, loading, message, operationsPath, order, path, reorder, rights, searching, selected, shown, startSearch, summary, user, view, visit } from './state';
import { text } from './text';
import { add, choose, fromDrop } from './uploads';

// Menu is a list of buttons that another button shows.
const Menu = ({ icon, title, children }: { icon: string; title: string; children: preact.ComponentChildren }) => {
  const details = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = (e: Event) => { if (details.current?.open && !details.current.contains(e.target as Node)) details.current.open = false; };
    const key = (e: KeyboardEvent) => { if (e.key === 'Escape' && details.current?.open) { details.current.open = false; details.current.querySelector('summary')!.focus(); } };
    addEventListener('click', close);
    addEventListener('keydown', key);
    return () => { removeEventListener('click', close); removeEventListener('keydown', key); };
  }, []);
  // The button has the focus again before the chosen item does something, which may open a dialog.
  const chosen = () => { details.current!.open = false; details.current!.querySelector('summary')!.focus(); };
  return <details ref={details} class="menu"><summary class={icon === 'upload' ? 'tool primary' : 'tool'} title={title}><Icon name={icon} /><span>{title}</span></summary><div class="items" onClickCapture={chosen}>{children}</div></details>;
};

const picked = (e: Event): void => {
  const input = e.currentTarget as HTMLInputElement;
  add([...input.files ?? []].map((file) => ({ file, name: file.webkitRelativePath || file.name })));
  input.value = '';
};

const Upload = () => {
  const files = useRef<HTMLInputElement>(null), folder = useRef<HTMLInputElement>(null);
  return (
    <>
      <input ref={files} id="upload-files" type="file" multiple hidden onChange={picked} />
      <input ref={(e) => { folder.current = e; if (e) e.webkitdirectory = true; }} id="upload-folder" type="file" hidden onChange={picked} />
      <Menu icon="upload" title={text.upload}>
        <button type="button" onClick={() => void choose(() => files.current!.click())}><Icon name="file" />{text.uploadFiles}</button>
        <button type="button" onClick={() => folder.current!.click()}><Icon name="folder" />{text.uploadFolder}</button>
      </Menu>
    </>
  );
};

const Crumbs = () => (
  <nav class="crumbs" aria-label={text.folders}><ol>{crumbs.value.map(({ name, path: to }, i, all) => (
    <li key={to}><a href={to} aria-current={i === all.length - 1 ? 'page' : undefined} {...target(to)} onClick={(e) => { if (e.ctrlKey || e.metaKey || e.shiftKey) return; e.preventDefault(); visit(to); }}>{i === 0 && <Icon name="home" />}<bdi>{label(name)}</bdi></a></li>
  ))}</ol></nav>
);

const columns: [Column, string][] = [['name', text.name], ['kind', text.kind], ['time', text.time], ['size', text.size]];

const unfilter = (): void => { if (searching.value) endSearch(); else filter.value = ''; };

const Tools = () => {
  const choosing = selected.value.length > 0;
  useLayoutEffect(keepFocus, [choosing]); // the buttons are others now
  if (choosing) return <Selected />;
  const submit = (e: Event) => { e.preventDefault(); const term = filter.value.trim(); if (term) void startSearch(term); };
  return (
    <div class="tools">
      {rights.value.create && <><Upload /><Button icon="add" title={text.newFolder} onClick={() => void actions.createFolder()} /></>}
      <form class="filter" role="search" onSubmit={submit}>
        <Icon name="search" />
        <input type="search" id="filter" dir="auto" aria-label={text.filter} placeholder={matchMedia('(max-width: 40rem)').matches ? text.filterShort : text.filter} value={filter.value} autocomplete="off"
          onInput={(e) => { filter.value = e.currentTarget.value; if (!filter.value && searching.value) endSearch(); }}
          onKeyDown={(e) => { if (e.key === 'Escape' && filter.value) { e.preventDefault(); unfilter(); } }} />
        {filter.value && <span class="ends">{filter.value.trim() && !searching.value && <button>{text.search}</button>}<button type="button" class="icon" aria-label={text.clearFilter} title={text.clearFilter} onClick={(e) => { e.currentTarget.closest('form')!.querySelector('input')!.focus(); unfilter(); }}><Icon name="close" /></button></span>}
      </form>
      <Button icon={view.value === 'list' ? 'grid' : 'list'} title={view.value === 'list' ? text.grid : text.list} onClick={() => { view.value = view.value === 'list' ? 'grid' : 'list'; }} />
      <Menu icon="more" title={text.more}>
        <span class="group" aria-hidden="true">{text.sort}</span>
        {columns.map(([by, title]) => {
          const mine = order.value.by === by;
          return <button type="button" key={by} aria-label={`${text.sort}: ${title}`} aria-pressed={mine} onClick={() => reorder({ by, backwards: mine && !order.value.backwards })}>{title}{mine && <span class={order.value.backwards ? 'arrow back' : 'arrow'} aria-hidden="true">▲</span>}</button>;
        })}
        <hr />
        <button type="button" aria-pressed={hidden.value} onClick={() => { hidden.value = !hidden.value; }}>{text.hidden}</button>
        <hr />
        <a href={path.value + '?zip'} download=""><Icon name="download" />{text.downloadFolder}</a>
        <button type="button" onClick={() => void actions.mount()}><Icon name="connect" />{text.mount}</button>
        <a href={operationsPath}><Icon name="history" />{text.operations}</a>
      </Menu>
    </div>
  );
};

const Searching = () => {
  const s = searching.value;
  if (!s) return null;
  return (
    <div class="searching" role="status">
      <span>{s.running ? text.searching(s.term, shown.value.length) : text.searched(s.term, shown.value.length)}{s.cut && ` ${text.searchCut}`}</span>
      {s.running ? <button type="button" onClick={s.stop}>{text.searchStop}</button> : <button type="button" onClick={endSearch}>{text.close}</button>}
    </div>
  );
};

const Message = () => {
  const shownMessage = message.value;
  useEffect(() => {
    if (!shownMessage) return;
    const timer = setTimeout(() => { message.value = ''; }, 6000);
    return () => clearTimeout(timer);
  }, [shownMessage]);
  return <div class="message" role="status">{shownMessage && <p>{shownMessage}</p>}</div>;
};

const over = signal(false);

const App = () => (
  <>
    <header><Crumbs />{user && <span class="user"><Icon name="user" /><bdi>{label(user)}</bdi></span>}</header>
    <main>
      <h1 class="hidden"><bdi>{label(crumbs.value.at(-1)!.name)}</bdi></h1>
      <Tools />
      <Searching />
      <Listing />
      <EntryMenu />
    </main>
    <footer><span role="status">{loading.value ? text.loading(entries.value.length) : failure.value >= 0 ? '' : summary.value}</span></footer>
    <Activity />
    <Message />
    {over.value && <div class="dropzone" role="status">{text.dropHere}</div>}
    <Dialogs />
  </>
);

const carriesFiles = (e: DragEvent): boolean => rights.value.create && (e.dataTransfer?.types.includes('Files') ?? false);
addEventListener('dragover', (e) => { if (carriesFiles(e)) { e.preventDefault(); over.value = true; } });
addEventListener('dragleave', (e) => { if (!e.relatedTarget) over.value = false; });
addEventListener('drop', (e) => {
  over.value = false;
  if (!carriesFiles(e)) return;
  e.preventDefault();
  const to = path.value;
  void fromDrop(e.dataTransfer!).then((files) => add(files, to));
});
addEventListener('paste', (e) => {
  if (!rights.value.create || !e.clipboardData?.files.length || e.target instanceof HTMLInputElement) return;
  e.preventDefault();
  const to = path.value;
  void fromDrop(e.clipboardData).then((files) => add(files, to));
});
addEventListener('keydown', (e) => {
  if (e.key !== '/' || e.target instanceof HTMLInputElement || document.querySelector('dialog')) return;
  e.preventDefault();
  document.getElementById('filter')?.focus();
});

void load();
// Rendering is a task of its own, so that each is short.
setTimeout(() => render(<App />, document.getElementById('app')!));
void refresh();
void find();
