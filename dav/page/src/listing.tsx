// The list and the grid of entries. Only what is visible has elements.
import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from '@tanstack/virtual-core';
import { signal } from '@preact/signals';
import { useEffect, useLayoutEffect, useReducer, useRef, useState } from 'preact/hooks';
import * as actions from './actions';
import { open, openMenu } from './choices';
import { href, label, type Entry } from './dav';
import { kindOf, type Column } from './files';
import { Icon } from './icons';
import { active, crumbs, endSearch, failure, filter, idOf, load, loading, order, path, reorder, rights, root, searching, selected, selection, shown, startSearch, view, visit } from './state';
import { size, text } from './text';
import { moment, Time } from './time';

// The heights of app.css, in pixels. Rows of a narrow list have two lines.
const rowHeight = 44, twoLines = 60, narrow = 640, tileWidth = 168, narrowTile = 140, tileHeight = 188;

const LockMark = ({ e }: { e: Entry }) => {
  if (!e.lock) return null;
  const title = text.lockedBy(e.lock.owner, e.lock.until ? moment(e.lock.until) : '');
  return <span class="lock" title={title}><Icon name="lock" /><span class="hidden">{title}</span></span>;
};

const toggle = (e: Entry, on = !selection.value.has(idOf(e))): void => {
  const next = new Set(selection.value);
  if (on) next.add(idOf(e)); else next.delete(idOf(e));
  selection.value = next;
};

// keyed is whether the last input came from the keyboard: only then people see which entry it acts on.
const keyed = signal(false);
addEventListener('keydown', () => { keyed.value = true; }, true);
addEventListener('pointerdown', () => { keyed.value = false; }, true);

// anchor is where a selection with Shift began.
let anchor = 0;
const selectTo = (index: number): void => {
  const [from, to] = anchor < index ? [anchor, index] : [index, anchor];
  selection.value = new Set(shown.value.slice(from, to + 1).map(idOf));
};

const clicked = (e: MouseEvent, entry: Entry, index: number): void => {
  active.value = index;
  if (e.shiftKey) { e.preventDefault(); selectTo(index); return; }
  anchor = index;
  if (e.metaKey || e.ctrlKey) {
    if ((e.target as Element).closest('a')) return; // another tab
    toggle(entry);
  } else if ((e.target as Element).closest('a')) {
    e.preventDefault();
    open(entry);
  }
};

// Dragging entries onto a folder moves them, with Ctrl copies them.
const dragType = 'application/x-davd';
let dragged: Entry[] = [];
export const dropping = signal('');
const dragOver = (e: DragEvent, to: string): void => {
  if (!e.dataTransfer?.types.includes(dragType) || dragged.some((each) => href(each) === to)) return;
  e.preventDefault();
  e.stopPropagation();
  e.dataTransfer.dropEffect = e.ctrlKey ? 'copy' : 'move';
  dropping.value = to;
};
const drop = (e: DragEvent, to: string): void => {
  if (!e.dataTransfer?.types.includes(dragType)) return;
  e.preventDefault();
  e.stopPropagation();
  dropping.value = '';
  void actions.transfer(e.ctrlKey ? 'COPY' : 'MOVE', dragged, to);
};
// target returns the properties of an element onto which entries can be dropped.
export const target = (to: string) => ({
  onDragOver: (e: DragEvent) => dragOver(e, to), onDragLeave: () => { dropping.value = ''; }, onDrop: (e: DragEvent) => drop(e, to),
});
const dragStart = (e: DragEvent, entry: Entry): void => {
  dragged = selection.value.has(idOf(entry)) ? selected.value : [entry];
  e.dataTransfer!.setData(dragType, '');
  e.dataTransfer!.setData('text/uri-list', dragged.map((each) => location.origin + href(each)).join('\r\n'));
  e.dataTransfer!.effectAllowed = 'copyMove';
};

const Thumb = ({ e }: { e: Entry }) => {
  const [broken, setBroken] = useState(false);
  const kind = kindOf(e);
  if (kind === 'image' && !broken && e.size < 20e6) return <img src={href(e)} alt="" loading="lazy" decoding="async" draggable={false} onError={() => setBroken(true)} />;
  return <span class={`large ${kind}`}><Icon name={kind} /></span>;
};

const Where = ({ e }: { e: Entry }) => searching.value ? <span class="where"><bdi>{label(decodeURIComponent(e.parent.slice(path.value.length).replace(/%(?![0-9a-f]{2})/gi, '%25')))}</bdi></span> : null;

// MenuOf is the button with the menu of an entry.
const MenuOf = ({ e, index }: { e: Entry; index: number }) => {
  const title = text.actionsFor(label(e.name));
  return <button type="button" class="icon" tabIndex={-1} aria-haspopup="true" aria-label={title} title={title} onClick={(event) => { event.stopPropagation(); anchor = active.value = index; openMenu(e, event.currentTarget); }}><Icon name="more" /></button>;
};

const Row = ({ e, index, top }: { e: Entry; index: number; top: number }) => {
  const id = idOf(e), on = selection.value.has(id), kind = kindOf(e);
  return (
    <div role="row" id={`row-${index}`} aria-rowindex={index + 2} aria-selected={on} class={`row${active.value === index ? ' active' : ''}${dropping.value === href(e) ? ' dropping' : ''}`}
      style={{ transform: `translateY(${top}px)` }} draggable onDragStart={(event) => dragStart(event, e)} {...(e.folder ? target(href(e)) : {})}
      onClick={(event) => clicked(event, e, index)} onDblClick={() => open(e)}>
      <span role="gridcell" class="check"><input type="checkbox" tabIndex={-1} checked={on} aria-label={text.select(label(e.name))} onClick={(event) => { event.stopPropagation(); anchor = active.value = index; toggle(e); }} /></span>
      <span role="gridcell" class="name"><span class={kind}><Icon name={kind} /></span><a href={href(e)} tabIndex={-1} draggable={false}><bdi>{label(e.name)}</bdi></a><LockMark e={e} /><Where e={e} /></span>
      <span role="gridcell" class="kind">{text.kindOf(kind)}</span>
      <span role="gridcell" class="time"><Time at={e.time} /></span>
      <span role="gridcell" class="size">{e.folder ? '' : size(e.size)}</span>
      <span role="gridcell" class="menu-of"><MenuOf e={e} index={index} /></span>
    </div>
  );
};

const Tile = ({ e, index }: { e: Entry; index: number }) => {
  const on = selection.value.has(idOf(e));
  return (
    <div role="gridcell" id={`row-${index}`} aria-selected={on} class={`tile${active.value === index ? ' active' : ''}${dropping.value === href(e) ? ' dropping' : ''}`} draggable
      onDragStart={(event) => dragStart(event, e)} {...(e.folder ? target(href(e)) : {})} onClick={(event) => clicked(event, e, index)} onDblClick={() => open(e)}>
      <input type="checkbox" tabIndex={-1} checked={on} aria-label={text.select(label(e.name))} onClick={(event) => { event.stopPropagation(); anchor = active.value = index; toggle(e); }} />
      <Thumb e={e} />
      <a href={href(e)} tabIndex={-1} draggable={false} title={label(e.name)}><bdi>{label(e.name)}</bdi></a><LockMark e={e} /><MenuOf e={e} index={index} />
    </div>
  );
};

// layout returns how many entries are in a row, and how high a row is.
const layout = (width: number, tiles: boolean): { columns: number; height: number } => tiles
  ? { columns: Math.max(1, Math.floor(width / (width <= narrow ? narrowTile : tileWidth))), height: tileHeight }
  : { columns: 1, height: width <= narrow ? twoLines : rowHeight };

// useVirtual returns the visible rows of a scrolled element, and their total height.
const useVirtual = (count: number, height: number, scroller: { current: HTMLElement | null }) => {
  const [, draw] = useReducer((n: number) => n + 1, 0);
  const options = {
    count, getScrollElement: () => scroller.current, estimateSize: () => height, overscan: 8,
    initialRect: { width: innerWidth, height: innerHeight }, // so that the first rendering has rows
    observeElementRect, observeElementOffset, scrollToFn: elementScroll, onChange: () => draw(undefined as never),
  };
  const [virtual] = useState(() => new Virtualizer<HTMLElement, HTMLElement>(options));
  virtual.setOptions(options);
  useLayoutEffect(() => virtual._didMount(), []);
  useLayoutEffect(() => virtual._willUpdate());
  useLayoutEffect(() => virtual.measure(), [height]);
  return virtual;
};

const Heading = ({ by, title }: { by: Column; title: string }) => {
  const mine = order.value.by === by;
  return (
    <span role="columnheader" class={by} aria-sort={mine ? order.value.backwards ? 'descending' : 'ascending' : 'none'}>
      <button type="button" onClick={() => reorder({ by, backwards: mine && !order.value.backwards })}>{title}{mine && <span class={order.value.backwards ? 'arrow back' : 'arrow'} aria-hidden="true">▲</span>}</button>
    </span>
  );
};

const keys = (e: KeyboardEvent, columns: number, page: number): void => {
  const all = shown.value, last = all.length - 1, at = Math.min(active.value, last), current = all[at];
  if (e.target instanceof HTMLElement && e.target.closest('input:not([type=checkbox]), button')) return;
  const moves: Record<string, number> = {
    ArrowDown: at + columns, ArrowUp: at - columns, Home: 0, End: last, PageDown: at + page * columns, PageUp: at - page * columns,
    ...(columns > 1 ? { ArrowRight: at + 1, ArrowLeft: at - 1 } : {}),
  };
  const to = e.altKey ? undefined : moves[e.key];
  if (to !== undefined) {
    active.value = Math.max(0, Math.min(last, to));
    if (e.shiftKey) selectTo(active.value); else anchor = active.value;
  } else if (e.key === 'Enter' && current) open(current);
  else if (e.key === ' ' && current) toggle(current);
  else if (e.key === 'a' && (e.ctrlKey || e.metaKey)) selection.value = new Set(all.map(idOf));
  else if (e.key === 'Escape' && selection.value.size) selection.value = new Set();
  else if (e.key === 'Escape' && searching.value) endSearch();
  else if ((e.key === 'ContextMenu' || e.key === 'F10' && e.shiftKey) && current) openMenu(current, document.querySelector(`#row-${at} button`) ?? e.currentTarget as Element);
  else if (e.key === 'F2' && current) void actions.rename(current);
  else if (e.key === 'Delete') void actions.remove(selected.value.length ? selected.value : current ? [current] : []);
  else if ((e.key === 'Backspace' || e.key === 'ArrowUp' && e.altKey) && path.value !== root) visit(crumbs.value.at(-2)!.path);
  else return;
  e.preventDefault();
};

const Nothing = () => {
  if (failure.value >= 0) return <div class="nothing" role="alert"><p>{text.failedStatus(failure.value)}</p><button type="button" onClick={() => void load()}>{text.retry}</button></div>;
  if (loading.value || searching.value?.running || shown.value.length) return null;
  const term = searching.value?.term ?? filter.value.trim();
  if (term) return <div class="nothing"><p>{text.nothing(term)}</p>{!searching.value && <button type="button" onClick={() => void startSearch(term)}>{text.search}</button>}</div>;
  return <div class="nothing"><span class="large folder"><Icon name="folder" /></span><p>{text.empty}</p>{rights.value.create && <p class="muted">{text.emptyHint}</p>}</div>;
};

// Listing shows the entries, and scrolls.
export const Listing = () => {
  const scroller = useRef<HTMLDivElement>(null);
  const tiles = view.value === 'grid', all = shown.value;
  // The width of the window is a good guess. Another width that changes nothing draws nothing.
  const [width, setWidth] = useState(innerWidth);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth((old) => {
      const now = layout(entry!.contentRect.width, tiles), was = layout(old, tiles);
      return now.columns === was.columns && now.height === was.height ? old : entry!.contentRect.width;
    }));
    observer.observe(scroller.current!);
    return () => observer.disconnect();
  }, [tiles]);
  const { columns, height } = layout(width, tiles);
  const virtual = useVirtual(Math.ceil(all.length / columns), height, scroller);
  const row = Math.floor(active.value / columns);
  useEffect(() => { if (row < virtual.options.count) virtual.scrollToIndex(row, { align: 'auto' }); }, [row]);
  useLayoutEffect(() => { scroller.current!.scrollTop = 0; scroller.current!.focus({ preventScroll: true }); }, [path.value]);
  const rows = virtual.getVirtualItems();
  const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / height) - 1);
  const chosen = selection.value.size, allOn = chosen > 0 && chosen >= all.length;
  return (
    <div class={`listing ${view.value}`}>
      <div ref={scroller} class={keyed.value ? 'scroller keyed' : 'scroller'} role="grid" tabIndex={0} aria-label={label(crumbs.value.at(-1)!.name)} aria-rowcount={tiles ? Math.ceil(all.length / columns) : all.length + 1} aria-multiselectable="true"
        aria-activedescendant={all.length && row < virtual.options.count ? `row-${Math.min(active.value, all.length - 1)}` : undefined} aria-busy={loading.value} onKeyDown={(e) => keys(e, columns, page)}>
        {!tiles && <div role="row" class="row heading" aria-rowindex={1}><span role="columnheader" class="check"><input type="checkbox" aria-label={text.selectAll} checked={allOn} onChange={() => { selection.value = allOn ? new Set() : new Set(all.map(idOf)); }} /></span><Heading by="name" title={text.name} /><Heading by="kind" title={text.kind} /><Heading by="time" title={text.time} /><Heading by="size" title={text.size} /><span role="columnheader" class="menu-of"><span class="hidden">{text.actions}</span></span></div>}
        <div role="rowgroup" class="rows" style={{ height: `${virtual.getTotalSize()}px` }}>
          {rows.map(({ index, start }) => tiles
            ? <div role="row" aria-rowindex={index + 1} class="tiles" key={index} style={{ transform: `translateY(${start}px)`, gridTemplateColumns: `repeat(${columns}, 1fr)` }}>{all.slice(index * columns, (index + 1) * columns).map((e, i) => <Tile key={idOf(e)} e={e} index={index * columns + i} />)}</div>
            : all[index] && <Row key={idOf(all[index])} e={all[index]} index={index} top={start} />)}
        </div>
      </div>
      <Nothing />
    </div>
  );
};
