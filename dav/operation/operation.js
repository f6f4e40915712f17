const here = location.origin + location.pathname; // without a password
let busy = false;

// update makes old like next and touches nothing that is like it already: what is
// selected stays selected, and the bar is the same bar.
const update = (old, next) => {
  const [from, to] = [[...old.childNodes], [...next.childNodes]];
  if (old.nodeName !== next.nodeName || from.length !== to.length) return old.replaceWith(next);
  if (old.nodeType === Node.TEXT_NODE && old.data !== next.data) old.data = next.data;
  for (const { name, value } of next.attributes ?? []) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  from.forEach((node, i) => update(node, to[i]));
};

const show = async () => {
  if (busy) return;
  busy = true;
  try {
    const answer = await fetch(here, { headers: { Accept: 'text/html' }, signal: AbortSignal.timeout(10000) });
    if (answer.status === 404) location.reload();
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    if (!page.scripts.length) location.reload(); // nothing runs any more
    update(document.getElementById('status'), page.getElementById('status'));
    document.title = page.title;
  } catch { // the next time, then
  } finally {
    busy = false;
  }
};

setInterval(show, 3000);
const [form] = document.forms; // none in the list, which has no events
if (form) {
  const events = new EventSource(here);
  events.addEventListener('progress', show);
  events.addEventListener('end', () => { events.close(); location.reload(); });
  form.addEventListener('submit', () => {
    events.close(); // the answer shows the end
    form.querySelector('button').textContent = 'Stopping…';
  });
}
