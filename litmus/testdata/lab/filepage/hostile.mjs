import assert from 'node:assert/strict';
import { base, browser, button, check, complaints, content, dialog, has, names, noDialog, openName, page, press, request, row, rows, says, select, setScripts, shows, type, until, url, visit, width, withoutListing } from './driver.mjs';

// What the active files try: none of it may have happened.
const nothingHappened = async () => {
  assert.equal(await page.evaluate(() => window.hacked), undefined, 'a script has run in the page');
  assert.equal((await request('HEAD', '/stolen')).status, 404, 'a script has sent a request');
};

const session = await browser.target().createCDPSession();

export default async () => {
  await session.send('Browser.setDownloadBehavior', { behavior: 'deny', eventsEnabled: true });
  await page.setViewport({ width, height: 2000 }); // so high that all names are visible
  await strangeNames();
  await activeContent();
  await withoutScripts();
  // Chromium reports the scripts that it did not run.
  const unexpected = complaints.filter((each) => !/sandboxed|Blocked script execution/.test(each));
  complaints.splice(0, complaints.length, ...unexpected);
};

const entries = () => page.$$eval('.row:not(.heading) .name a', (all) => all.map((a) => [a.innerText, a.getAttribute('href')]));

const strangeNames = async () => {
  await visit('/names/'); await button('More'); await button('Show hidden files');
  const all = await until('all names', async () => { const found = await entries(); return found.length === 20 && found; });
  await check('strange names');
  const listed = (await rows()).map(String);
  for (const each of await withoutListing('/names/')) assert.ok(listed.includes(String(each)), `${each} is not in the listing`);
  await visit('/names/');
  for (const [shown, href] of all) {
    assert.doesNotMatch(shown, /[\u0000-\u001f\u202a-\u202e\u2066-\u2069]/, `${shown} controls the text around it`);
    assert.match(await content(href.slice(base.length)), /^content of /);
  }
  await has('fdp\ufffdtxt.exe'); await has('a\ufffdb.txt');
  const markup = '<img src=x onerror=hacked()>.txt';
  await openName(markup); await dialog(); await says('content of'); await check('a strange name in a dialog'); await press('Escape'); await noDialog();
  await select(markup); await button('Delete'); await says(`Delete “${markup}”?`); await press('Escape'); await noDialog();
  await select(markup); // not any more
  await select('fdp\ufffdtxt.exe'); await button('Delete'); await says('Delete “fdp\ufffdtxt.exe”?'); await press('Escape'); await noDialog();
  await button('Rename'); await type('..%2f<script>hacked()</script>\u202e".txt'); await says('can’t be empty'); await press('Escape'); await noDialog(); // a slash
  await button('Rename'); await type('..%2f<script>\u202e"\'.txt'); await has('..%2f<script>\ufffd"\'.txt');
  assert.match(await content('/names/' + encodeURIComponent('..%2f<script>\u202e"\'.txt')), /^content of /);
  await nothingHappened();
  // Folders with such names can be opened, and copied into.
  await visit('/folders/');
  for (const [shown] of await until('all folders', async () => { const found = await entries(); return found.length === 20 && found; })) {
    await openName(shown); await shows('member.txt');
    assert.equal(await page.$eval('nav.crumbs li:last-child', (crumb) => crumb.innerText.trim()), shown.trim());
    assert.equal(await content(new URL(page.url()).pathname.slice(base.length) + 'member.txt'), 'member');
    await page.goBack(); await has(shown);
  }
  const zip = await request('GET', '/folders/?zip');
  assert.equal(zip.status, 200);
  // An archive can't lead out of the directory in which it is unpacked.
  assert.doesNotMatch(zip.text, /PK\u0001\u0002[^]{42}(\.\.)?\//);
  await nothingHappened();
};

const activeContent = async () => {
  await visit('/active/');
  const viewable = /\.(html|js|css|xml|txt|json|pdf|png|svg)$/;
  for (const name of (await names()).filter((name) => viewable.test(name)).sort()) {
    await openName(name);
    await until(`${name} or a message`, () => page.$('dialog[open] :is(pre, iframe), .pswp__img, .message p').catch(() => null));
    if (!name.endsWith('.pdf')) assert.equal(await page.$('dialog iframe'), null, `${name} is in a frame`);
    await nothingHappened();
    await press('Escape');
    await until('the end', async () => !await page.$('dialog[open], .pswp'));
    await until('the end of the message', async () => !await page.$('.message p'));
  }
  await nothingHappened();
  // Not even in a frame, or if a person opens its address.
  for (const name of ['page.html', 'page.xhtml', 'picture.svg', 'sniffed.png', 'data.xml']) {
    const { headers } = await request('GET', `/active/${name}`);
    assert.equal(headers['content-security-policy'], 'sandbox', name);
    assert.equal(headers['x-content-type-options'], 'nosniff', name);
    await inFrame(name);
    await nothingHappened();
    await page.goto(`${url}/active/${name}`).catch((error) => assert.match(error.message, /ERR_ABORTED/));
    await visit('/active/');
    await nothingHappened();
  }
  // A script of a user is not one of the page.
  await page.evaluate((src) => new Promise((done) => { document.body.append(Object.assign(document.createElement('script'), { src, onload: done, onerror: done })); }), `${base}/active/script.js`);
  complaints.splice(0, complaints.length, ...complaints.filter((each) => !each.includes('/active/script.js')));
};

// inFrame opens a file in a frame, until the frame has loaded it or the browser has made a download of it.
const inFrame = async (name) => {
  const download = new Promise((begun) => session.once('Browser.downloadWillBegin', begun));
  const load = page.evaluate((src) => new Promise((onload) => { document.body.append(Object.assign(document.createElement('iframe'), { src, onload })); }), `${base}/active/${name}`);
  await Promise.race([download, load]);
  load.catch(() => {}); // the page may go before
};

const withoutScripts = async () => {
  await setScripts(false);
  for (const folder of ['/names/', '/active/', '/folders/']) {
    await page.goto(url + folder);
    const links = await page.$$eval('table.plain tbody a', (all) => all.map((a) => [a.textContent, a.href]));
    assert.ok(links.length >= 10);
    for (const [name, href] of links) {
      assert.doesNotMatch(name, /[\u0000-\u001f\u202a-\u202e\u2066-\u2069]/);
      assert.equal((await request('HEAD', new URL(href).pathname.slice(base.length))).status, 200, href);
    }
    assert.equal(await page.$('table.plain :is(img, script)'), null);
  }
  await check('strange names without scripts');
  await setScripts(true);
};
