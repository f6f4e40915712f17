const here = location.origin + location.pathname; // without a password
const events = new EventSource(here);
const show = async () => {
  const answer = await fetch(here, { headers: { Accept: 'text/html' } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const next = page.getElementById('status');
  if (next) document.getElementById('status').replaceWith(next);
};
events.addEventListener('progress', () => show().catch(() => {}));
events.addEventListener('end', () => { events.close(); location.reload(); });
