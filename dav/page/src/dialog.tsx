// Dialogs, one at a time. Each function returns a promise of the answer; null means cancelled.
import { signal } from '@preact/signals';
import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { factsOf, type Facts } from './dav';
import { keepFocus } from './focus';
import { size, text } from './text';
import { moment } from './time';

const shown = signal<VNode | null>(null);
let waiting: Promise<unknown> = Promise.resolve();

// Dialogs shows the current dialog.
export const Dialogs = () => shown.value;

// ask shows a dialog that draw makes, after those that are open.
export const ask = <T,>(draw: (answer: (value: T | null) => void) => VNode): Promise<T | null> => {
  const asked = waiting.then(() => new Promise<T | null>((resolve) => {
    shown.value = draw((value) => { shown.value = null; resolve(value); });
  }));
  waiting = asked;
  return asked;
};

let ids = 0;

// Dialog is the frame of a dialog. The browser keeps the focus in it, and gives it back at the end.
// All of that happens while the page changes: a later change of focus would take it from an element
// in which a person has begun to type.
export const Dialog = ({ title, onClose, children, wide }: { title: ComponentChildren; onClose: () => void; children: ComponentChildren; wide?: boolean }) => {
  const dialog = useRef<HTMLDialogElement>(null);
  const [id] = useState(() => `dialog-${++ids}`);
  useLayoutEffect(() => {
    const element = dialog.current!;
    element.showModal();
    element.querySelector<HTMLElement>('[data-first]')?.focus();
    return () => { element.close(); keepFocus(); };
  }, []);
  return (
    <dialog ref={dialog} class={wide ? 'wide' : ''} aria-labelledby={id} onCancel={(e) => { e.preventDefault(); onClose(); }}
      onClick={(e) => { if (e.target === dialog.current) onClose(); }}>
      <div class="frame"><h2 id={id}>{title}</h2>{children}</div>
    </dialog>
  );
};

const Naming = ({ title, hint, initial, action, answer }: { title: string; hint: string; initial: string; action: string; answer: (name: string | null) => void }) => {
  const [wrong, setWrong] = useState('');
  const input = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    const dot = initial.lastIndexOf('.');
    input.current!.focus();
    input.current!.setSelectionRange(0, dot > 0 ? dot : initial.length);
  }, []);
  const submit = (e: Event) => {
    e.preventDefault();
    const name = input.current!.value.trim();
    if (!name || name === '.' || name === '..' || name.includes('/')) setWrong(text.nameInvalid); else answer(name);
  };
  return (
    <Dialog title={title} onClose={() => answer(null)}>
      <form onSubmit={submit}>
        <label>{hint}<input ref={input} name="name" dir="auto" value={initial} autocomplete="off" spellcheck={false} maxLength={255} aria-describedby="name-error" /></label>
        <p id="name-error" class="error" role="alert">{wrong}</p>
        <div class="buttons"><button type="button" onClick={() => answer(null)}>{text.cancel}</button><button class="primary">{action}</button></div>
      </form>
    </Dialog>
  );
};

export const askName = (title: string, hint: string, initial: string, action: string): Promise<string | null> =>
  ask<string>((answer) => <Naming {...{ title, hint, initial, action, answer }} />);

export const confirmDelete = (names: string[], folders: boolean): Promise<true | null> => ask<true>((answer) => (
  <Dialog title={text.deleteTitle(names)} onClose={() => answer(null)}>
    {names.length > 1 && <ul class="names">{names.slice(0, 5).map((name) => <li key={name}><bdi>{name}</bdi></li>)}{names.length > 5 && <li class="muted">{text.andMore(names.length - 5)}</li>}</ul>}
    <p>{folders ? text.deleteFolders : text.deleteHint}</p>
    <div class="buttons"><button data-first onClick={() => answer(null)}>{text.cancel}</button><button class="danger" onClick={() => answer(true)}>{text.remove}</button></div>
  </Dialog>
));

export type Resolution = 'replace' | 'both' | 'skip';

// A Clash is a name that exists already: at is the URL path of the resource there, mine are the facts
// about the one that was to get the name, and more tells that there are others to come.
export interface Clash { name: string; at: string; mine: Facts; more: boolean }

// Side is one of two resources. The times that servers give have seconds.
const Side = ({ title, facts, than }: { title: string; facts: Facts | null; than: Facts | null }) => (
  <div>
    <dt>{title}</dt>
    <dd>{facts && <>{facts.folder ? text.kindOf('folder') : size(facts.size)}{facts.time > 0 && <>, {moment(facts.time)}</>}{than && than.time > 0 && facts.time >= than.time + 1000 && <strong class="newer">{text.newer}</strong>}</>}</dd>
  </div>
);

const Conflict = ({ clash: { name, at, mine, more }, answer }: { clash: Clash; answer: (value: { how: Resolution; all: boolean }) => void }) => {
  const [all, setAll] = useState(false);
  const [there, setThere] = useState<Facts | null>(null);
  useEffect(() => { factsOf(at).then(setThere, () => {}); }, []); // it may have gone meanwhile
  const button = (how: Resolution, title: string, primary = false) => <button type="button" class={primary ? 'primary' : ''} data-first={primary ? '' : undefined} onClick={() => answer({ how, all })}>{title}</button>;
  return (
    <Dialog title={text.conflictTitle(name)} onClose={() => answer({ how: 'skip', all })}>
      <p>{text.conflictHint}</p>
      <dl class="clash"><Side title={text.existing} facts={there} than={mine} /><Side title={text.incoming} facts={mine} than={there} /></dl>
      {more && <label class="check"><input type="checkbox" checked={all} onChange={(e) => setAll(e.currentTarget.checked)} /> {text.applyToAll}</label>}
      <div class="buttons">{button('skip', text.skip)}{button('replace', text.replace)}{button('both', text.keepBoth, true)}</div>
    </Dialog>
  );
};

// conflicts returns a function that asks what to do about an existing name, until one answer is for
// all.
export const conflicts = (): (clash: Clash) => Promise<Resolution> => {
  let forAll: Resolution | null = null;
  let asking: Promise<unknown> = Promise.resolve();
  return (clash) => {
    const answered = asking.then(async () => {
      if (forAll) return forAll;
      const answer = (await ask<{ how: Resolution; all: boolean }>((resolve) => <Conflict clash={clash} answer={resolve} />))!;
      if (answer.all) forAll = answer.how;
      return answer.how;
    });
    asking = answered;
    return answered;
  };
};
