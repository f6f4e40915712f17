// What the user may do with entries. A collection says what may be done in it, but an entry can have
// rules of its own: the server is asked about selected ones, if they are few.
import { computed, effect, signal } from '@preact/signals';
import { href, request, type Entry } from './dav';
import { idOf, path, rights, selected, user } from './state';

export type Action = 'GET' | 'COPY' | 'MOVE' | 'DELETE';

// maxAsked is about how many entries the server is asked at most.
const maxAsked = 20;

const known = signal<ReadonlyMap<string, string>>(new Map());
const asked = new Map<string, Promise<void>>();

// learn asks the server what the user may do with an entry.
export const learn = (e: Entry): Promise<void> => {
  const id = idOf(e);
  if (!asked.has(id)) {
    asked.set(id, request('OPTIONS', href(e)).then((answer) => {
      if (answer.ok) known.value = new Map(known.peek()).set(id, answer.headers.get('Allow') ?? '');
    }, () => {}));
  }
  return asked.get(id)!;
};

const allows = (e: Entry, action: Action, all: ReadonlyMap<string, string>): boolean => {
  const inFolder = action === 'GET' || action === 'COPY' || rights.value.remove;
  const methods = all.get(idOf(e));
  return inFolder && (methods === undefined || methods.split(/, */).includes(action));
};

// allowed reports what the user may do with all of some entries, as far as that is known. A copy or
// move needs a place, which only users have elsewhere.
export const allowed = (entries: Entry[]) => {
  const all = known.value, { create } = rights.value;
  const can = (action: Action) => entries.every((e) => allows(e, action, all));
  const place = create || user !== '';
  return { download: can('GET'), copy: place && can('COPY'), move: place && can('MOVE'), rename: create && entries.length === 1 && can('MOVE'), remove: can('DELETE') };
};

// may is what the user may do with the selected entries.
export const may = computed(() => allowed(selected.value));

// mayDo asks the server whether the user may do something with entries.
export const mayDo = async (entries: Entry[], action: Action): Promise<boolean> => {
  if (entries.length <= maxAsked) await Promise.all(entries.map(learn));
  return entries.every((e) => allows(e, action, known.peek()));
};

effect(() => {
  void path.value;
  asked.clear();
  known.value = new Map();
});
effect(() => { if (selected.value.length <= maxAsked) selected.value.forEach((e) => void learn(e)); });
