// What people can choose to do with entries: the buttons of a selection, and the menu of one entry.
import { signal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import * as actions from './actions';
import { href, label, type Entry } from './dav';
import { kindOf } from './files';
import { Icon } from './icons';
import { allowed, learn, may } from './rights';
import { selected, selection, visit } from './state';
import { text } from './text';
import { canView, openViewer } from './viewing';

// open shows a folder or a file. Files that can't be shown are downloaded.
export const open = (e: Entry): void => {
  if (e.folder) visit(href(e));
  else if (canView(e)) void openViewer(e);
  else actions.download([e]);
};

interface Choice { icon: string; title: string; take: () => void; danger?: boolean }

const choicesFor = (entries: Entry[], can = allowed(entries)): Choice[] => [
  ...can.download ? [{ icon: 'download', title: text.download, take: () => actions.download(entries) }] : [],
  ...can.copy ? [{ icon: 'copy', title: text.copy, take: () => void actions.moveOrCopy('COPY', entries) }] : [],
  ...can.move ? [{ icon: 'move', title: text.move, take: () => void actions.moveOrCopy('MOVE', entries) }] : [],
  ...can.rename ? [{ icon: 'rename', title: text.rename, take: () => void actions.rename(entries[0]!) }] : [],
  ...can.remove ? [{ icon: 'remove', title: text.remove, take: () => void actions.remove(entries), danger: true }] : [],
];

export const Button = ({ icon, title, onClick, primary, pressed }: { icon: string; title: string; onClick: () => void; primary?: boolean; pressed?: boolean }) => (
  <button type="button" class={primary ? 'tool primary' : 'tool'} title={title} aria-pressed={pressed} onClick={onClick}><Icon name={icon} /><span>{title}</span></button>
);

// Selected are the buttons of a selection.
export const Selected = () => {
  const chosen = selected.value;
  return (
    <div class="tools chosen" role="toolbar" aria-label={text.selected(chosen.length)}>
      <button type="button" class="icon" aria-label={text.clear} title={text.clear} onClick={() => { selection.value = new Set(); }}><Icon name="close" /></button>
      <strong aria-live="polite">{text.count(chosen.length)}<span> {text.selectedWord}</span></strong>
      {choicesFor(chosen, may.value).map(({ icon, title, take }) => <Button key={icon} icon={icon} title={title} onClick={take} />)}
    </div>
  );
};

interface Opened { entry: Entry; at: DOMRect }
const opened = signal<Opened | null>(null);

// openMenu shows what can be done with an entry, beside the element at.
export const openMenu = (entry: Entry, at: Element): void => {
  void learn(entry);
  opened.value = { entry, at: at.getBoundingClientRect() };
};

// EntryMenu is the menu of one entry, while it is open. The browser closes it with Escape or a click elsewhere.
export const EntryMenu = () => opened.value && <Opened key={opened.value.at} {...opened.value} />;

const Opened = ({ entry, at }: Opened) => {
  const menu = useRef<HTMLDivElement>(null);
  const choices: Choice[] = [...entry.folder || canView(entry) ? [{ icon: entry.folder ? 'open' : kindOf(entry), title: text.open, take: () => open(entry) }] : [], ...choicesFor([entry])];
  useLayoutEffect(() => {
    const element = menu.current!;
    const closed = (e: Event) => { if ((e as ToggleEvent).newState === 'closed') opened.value = null; };
    // The list may scroll to the entry at first.
    const settled = performance.now() + 300;
    const scrolled = () => { if (performance.now() > settled) element.hidePopover(); };
    element.addEventListener('toggle', closed);
    addEventListener('scroll', scrolled, true);
    element.showPopover();
    const { offsetWidth: width, offsetHeight: height } = element;
    element.style.left = `${Math.max(8, Math.min(at.right - width, innerWidth - width - 8))}px`;
    element.style.top = `${at.bottom + height + 8 > innerHeight ? Math.max(8, at.top - height) : at.bottom}px`;
    (element.querySelector('button') ?? element).focus();
    return () => { element.removeEventListener('toggle', closed); removeEventListener('scroll', scrolled, true); };
  }, []);
  const key = (e: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (!step) return;
    e.preventDefault();
    const all = [...menu.current!.querySelectorAll('button')];
    all[(all.indexOf(document.activeElement as HTMLButtonElement) + step + all.length) % all.length]?.focus();
  };
  return (
    <div ref={menu} popover="auto" class="items" role="group" tabIndex={-1} aria-label={text.actionsFor(label(entry.name))} onKeyDown={key}>
      {choices.map(({ icon, title, take, danger }) => <button type="button" key={icon} class={danger ? 'bad' : undefined} onClick={() => { menu.current!.hidePopover(); take(); }}><Icon name={icon} />{title}</button>)}
      {!choices.length && <span class="muted">{text.noActions}</span>}
    </div>
  );
};
