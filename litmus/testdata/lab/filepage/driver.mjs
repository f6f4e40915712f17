// What the parts use: the browser, and what a person does in it. The arguments of the program are the
// modules puppeteer-core and axe-core, the browser's program, and a task in JSON:
//   url      the server, without a password and without a slash at the end
//   user     a user name whose password is "secret", or ""
//   dir      a directory for the browser's profile and for files to upload
//   width    the width of the window
//   part     the name of the module to run
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const [module, axeFile, executablePath, task] = process.argv.slice(2);
const { default: puppeteer } = await import(module);
const axe = readFileSync(axeFile, 'utf8');
export const { url, user, dir, width, part } = JSON.parse(task);

setTimeout(() => { console.error('the page took too long'); process.exit(1); }, 280000).unref();

export const browser = await puppeteer.launch({
  executablePath, userDataDir: join(dir, 'profile'),
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-proxy-server'],
});
export const complaints = [];
// signIn makes the browser know the password for a server, as if a person had given it. Puppeteer could
// answer when the browser asks, but then it takes each request apart, which those of 64 MiB don't survive.
export const signIn = async (page, server) => {
  if (user) await page.goto(server.replace('://', `://${user}:secret@`) + '/?plain', { waitUntil: 'load' });
};
export const newPage = async ({ anonymous = false } = {}) => {
  const page = await (anonymous ? await browser.createBrowserContext() : browser).newPage();
  // Chromium reports each status above 399, and some are part of the protocol.
  page.on('console', (message) => { if (!message.text().startsWith('Failed to load resource')) complaints.push(message.text()); });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('dialog', (dialog) => {
    if (dialog.type() !== 'beforeunload') complaints.push(`a dialog: ${dialog.message()}`);
    return dialog.accept();
  });
  await page.evaluateOnNewDocument(() => addEventListener('securitypolicyviolation', (e) => {
    console.error(`the policy ${e.effectiveDirective} forbids ${e.blockedURI} in ${e.documentURI}`);
  }));
  await page.setViewport({ width, height: 800 });
  if (anonymous) await page.authenticate({ username: user, password: 'wrong' }); else await signIn(page, url);
  return page;
};
// page is the tab that the functions below use.
export let page = await newPage();
export const show = (tab) => { page = tab; return tab.bringToFront(); };

// base is the path of the server's root, without a slash at the end.
export const base = new URL(url).pathname.replace(/\/$/, '');

// until repeats look until it returns what is wanted, for 100 seconds.
export const until = async (what, look) => {
  let last;
  for (const end = Date.now() + 100000; Date.now() < end; await pause(50)) {
    last = await look().catch((error) => { if (!/context|detached|navigation/i.test(error.message)) throw error; });
    if (last) return last;
  }
  throw new Error(`${what} did not come: ${await page.evaluate(() => document.body?.innerText.slice(0, 1500))}`);
};
export const names = () => page.evaluate(() => [...document.querySelectorAll('.row:not(.heading) .name a, .tile a')].map((a) => a.innerText));
export const shows = (...wanted) => until(`the list ${wanted}`, async () => JSON.stringify(await names()) === JSON.stringify(wanted));
export const has = (name) => until(name, async () => (await names()).includes(name));
export const lacks = (name) => until(`the end of ${name}`, async () => !(await names()).includes(name));
// says waits for words. Names in them may be isolated, which nobody sees.
export const says = (words) => until(`“${words}”`, () => page.evaluate((words) => document.body?.innerText.replace(/[\u2068\u2069]/g, '').includes(words), words));
// button presses a button, once it can be pressed: it may wait for an answer about rights.
export const button = async (title, inside = 'body') => {
  const found = await until(`the button ${title}`, () => page.evaluateHandle((title, inside) => [...document.querySelectorAll(`${inside} :is(button:enabled, summary, a)`)]
    .find((each) => [each.title, each.innerText.trim(), each.getAttribute('aria-label')].includes(title)), title, inside).then((handle) => handle.asElement()));
  await found.evaluate((element) => element.click());
};
// row waits for an entry, because the page may just be drawing the list.
export const row = (name) => until(`the row of ${name}`, () => page.evaluateHandle((name) => [...document.querySelectorAll('.row:not(.heading), .tile')]
  .find((each) => each.querySelector('a').innerText === name), name).then((handle) => handle.asElement()));
export const select = async (...wanted) => { for (const name of wanted) await (await row(name)).evaluate((element) => element.querySelector('input').click()); };
export const openName = async (name) => (await row(name)).evaluate((element) => element.querySelector('a').click());
export const dialog = () => until('a dialog', () => page.$('dialog[open]'));
export const noDialog = () => until('the end of the dialog', async () => !await page.$('dialog[open]'));
export const type = async (text) => { await dialog(); await page.$eval('dialog input', (input) => { input.value = ''; }); await page.type('dialog input', text); await page.keyboard.press('Enter'); };
export const visit = async (path) => { await page.goto(url + path, { waitUntil: 'load' }); await until('the page', () => page.$('.scroller[aria-busy=false]')); };
// withoutListing opens a collection whose listing does not arrive, and returns the rows that the page takes from
// the document: those that have arrived when its script runs.
export const withoutListing = async (path) => {
  const { identifier } = await page.evaluateOnNewDocument(() => { window.Worker = class extends EventTarget { postMessage() {} }; });
  await page.goto(url + path, { waitUntil: 'load' });
  await page.removeScriptToEvaluateOnNewDocument(identifier);
  return until('the rows of the document', async () => { const found = await rows(); return found.length && found; });
};
export const rows = () => page.$$eval('.row:not(.heading)', (all) => all.map((each) => [each.innerText, each.querySelector('a').getAttribute('href')]));
export const file = (name, content) => { const path = join(dir, name); mkdirSync(join(path, '..'), { recursive: true }); writeFileSync(path, content); return path; };
export const content = (path) => page.evaluate(async (path) => { const answer = await fetch(path, { cache: 'no-store' }); return answer.ok ? answer.text() : String(answer.status); }, base + path);

// request sends a request as another client of the same user would.
export const request = (method, path, headers = {}, body = undefined) => page.evaluate(async (method, path, headers, body) => {
  const answer = await fetch(path, { method, headers, body, cache: 'no-store' });
  return { status: answer.status, headers: Object.fromEntries(answer.headers), text: await answer.text() };
}, method, base + path, headers, body);

// lock locks a resource for the owner, which is XML, and returns the lock token.
export const lock = async (path, owner) => (await request('LOCK', path, { Timeout: 'Second-600' },
  `<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype><D:owner>${owner}</D:owner></D:lockinfo>`)).headers['lock-token'];

// setScripts switches the scripts of pages on or off.
let scripts = true;
export const setScripts = async (on) => { scripts = on; await page.setJavaScriptEnabled(on); };

// check looks at a screen in both colour schemes with axe, and for content wider than the window.
export const check = async (screen) => {
  if (!scripts) { // only for axe, for which the page must look as it does without scripts
    await page.setJavaScriptEnabled(true);
    await page.evaluate(() => { for (const each of document.querySelectorAll('noscript')) each.replaceWith(...each.childNodes); });
  }
  for (const value of ['light', 'dark']) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value }, { name: 'prefers-reduced-motion', value: 'reduce' }]);
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `${screen} is ${wide} px wide`);
    await page.evaluate(`${axe};0`);
    const violations = await page.evaluate(async () => (await axe.run({ resultTypes: ['violations'] })).violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, any }) => `${html.slice(0, 200)} ${any[0]?.message ?? ''}`).join('; ')}`));
    assert.deepEqual(violations, [], `${screen}, ${value}`);
  }
  if (!scripts) await page.setJavaScriptEnabled(false);
};

// focused describes the element with the focus: its label or its text.
export const focused = () => page.evaluate(() => {
  const element = document.activeElement;
  const active = element.getAttribute('aria-activedescendant');
  if (active) return document.getElementById(active)?.querySelector('a')?.innerText ?? '';
  return (element.getAttribute('aria-label') || element.title || element.innerText || element.localName).trim();
});
export const keepsFocus = (name) => until(`the focus on ${name}`, async () => await focused() === name);

// press presses keys one after the other.
export const press = async (...keys) => {
  for (const key of keys) {
    const parts = key.split('+');
    for (const part of parts.slice(0, -1)) await page.keyboard.down(part);
    await page.keyboard.press(parts.at(-1));
    for (const part of parts.slice(0, -1)) await page.keyboard.up(part);
  }
};

// choose gives the page files from a browser's dialog. A name with a slash is in a folder.
export const choose = (files) => page.evaluate((files) => {
  const folder = Object.keys(files).some((name) => name.includes('/'));
  const list = Object.entries(files).map(([name, content]) => {
    const file = new File([typeof content === 'number' ? new Uint8Array(content) : content], name.slice(name.lastIndexOf('/') + 1));
    if (folder) Object.defineProperty(file, 'webkitRelativePath', { value: name });
    return file;
  });
  const input = document.getElementById(folder ? 'upload-folder' : 'upload-files');
  Object.defineProperty(input, 'files', { value: list, configurable: true });
  input.dispatchEvent(new Event('change', { bubbles: true }));
}, files);

// drag drags an entry onto an element, as a mouse does.
export const drag = (name, to, ctrlKey = false) => page.evaluate((name, to, ctrlKey) => {
  const find = (name) => [...document.querySelectorAll('.row:not(.heading), nav.crumbs li')].find((each) => each.querySelector('a').innerText === name);
  const dataTransfer = new DataTransfer();
  const fire = (element, type) => element.dispatchEvent(new DragEvent(type, { dataTransfer, ctrlKey, bubbles: true, cancelable: true }));
  const onto = find(to).matches('li') ? find(to).querySelector('a') : find(to);
  fire(find(name), 'dragstart'); fire(onto, 'dragover'); fire(onto, 'drop');
}, name, to, ctrlKey);

// tabTo presses Tab until the element with a name has the focus.
export const tabTo = async (name, key = 'Tab') => {
  for (let i = 0; i < 40; i++) {
    if (await focused() === name) return;
    await press(key);
  }
  throw new Error(`Tab does not lead to ${name}`);
};
// visible checks that people see where the focus is.
export const visible = async () => assert.equal(await page.evaluate(() => {
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(document.activeElement);
  return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1 || boxShadow !== 'none';
}), true, `the focus on ${await focused()} is invisible`);

// downloaded checks that begin makes the browser download a file.
export const downloaded = async (path, begin) => {
  const session = await browser.target().createCDPSession();
  await session.send('Browser.setDownloadBehavior', { behavior: 'deny', eventsEnabled: true });
  const started = new Promise((begun) => session.once('Browser.downloadWillBegin', begun));
  await begin();
  const { url: from, suggestedFilename } = await started;
  assert.deepEqual([new URL(from).pathname, suggestedFilename], [`${base}/${path}`, path.split('/').at(-1)]);
  await session.detach();
};
