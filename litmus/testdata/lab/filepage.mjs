// Uses the file browser in a browser, as a person does. The arguments are the modules puppeteer-core
// and axe-core, the browser's program, and a task in JSON:
//   url      the server, without a password
//   user     a user name whose password is "secret", or ""
//   dir      a directory for the browser's profile and for files to upload
//   width    the width of the window
//   part     the function below to run
//   pictures a directory for pictures of the screens, or ""
// It fails with a message if something is not as it should be.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const [module, axeFile, executablePath, task] = process.argv.slice(2);
const { default: puppeteer } = await import(module);
const axe = readFileSync(axeFile, 'utf8');
const { url, user, dir, width, part, pictures } = JSON.parse(task);

setTimeout(() => { console.error('the page took too long'); process.exit(1); }, 170000).unref();

const browser = await puppeteer.launch({
  executablePath, userDataDir: join(dir, 'profile'),
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-proxy-server'],
});
const complaints = [];
const newPage = async () => {
  const page = await browser.newPage();
  // Chromium reports each status above 399, and some are part of the protocol.
  page.on('console', (message) => { if (!message.text().startsWith('Failed to load resource')) complaints.push(message.text()); });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('dialog', (dialog) => dialog.accept()); // of beforeunload
  if (user) await page.authenticate({ username: user, password: 'secret' });
  await page.setViewport({ width, height: 800 });
  return page;
};
let page = await newPage();

// until repeats look until it returns what is wanted, for 50 seconds.
const until = async (what, look) => {
  let last;
  for (const end = Date.now() + 50000; Date.now() < end; await pause(50)) {
    last = await look().catch((error) => { if (!/context|detached|navigation/i.test(error.message)) throw error; });
    if (last) return last;
  }
  throw new Error(`${what} did not come: ${await page.evaluate(() => document.body.innerText.slice(0, 1500))}`);
};
const names = () => page.evaluate(() => [...document.querySelectorAll('.row:not(.heading) .name a, .tile a')].map((a) => a.innerText));
const shows = (...wanted) => until(`the list ${wanted}`, async () => JSON.stringify(await names()) === JSON.stringify(wanted));
const has = (name) => until(name, async () => (await names()).includes(name));
const lacks = (name) => until(`the end of ${name}`, async () => !(await names()).includes(name));
const says = (words) => until(`“${words}”`, () => page.evaluate((words) => document.body.innerText.includes(words), words));
const button = async (title, inside = 'body') => {
  const found = await until(`the button ${title}`, () => page.evaluateHandle((title, inside) => [...document.querySelectorAll(`${inside} :is(button, summary, a)`)]
    .find((each) => [each.title, each.innerText.trim(), each.getAttribute('aria-label')].includes(title)), title, inside).then((handle) => handle.asElement()));
  await found.evaluate((element) => element.click());
};
const row = (name) => page.evaluateHandle((name) => [...document.querySelectorAll('.row:not(.heading), .tile')].find((each) => each.querySelector('a').innerText === name), name);
const select = async (...wanted) => { for (const name of wanted) await (await row(name)).evaluate((element) => element.querySelector('input').click()); };
const openName = async (name) => (await row(name)).evaluate((element) => element.querySelector('a').click());
const dialog = () => until('a dialog', () => page.$('dialog[open]'));
const noDialog = () => until('the end of the dialog', async () => !await page.$('dialog[open]'));
const type = async (text) => { await dialog(); await page.$eval('dialog input', (input) => { input.value = ''; }); await page.type('dialog input', text); await page.keyboard.press('Enter'); };
const visit = async (path) => { await page.goto(url + path, { waitUntil: 'load' }); await until('the page', () => page.$('.scroller[aria-busy=false]')); };
const file = (name, content) => { const path = join(dir, name); mkdirSync(join(path, '..'), { recursive: true }); writeFileSync(path, content); return path; };
const content = (path) => page.evaluate(async (path) => { const answer = await fetch(path, { cache: 'no-store' }); return answer.ok ? answer.text() : String(answer.status); }, path);

// check looks at a screen in both colour schemes with axe, for content wider than the window, and
// takes pictures.
const check = async (screen) => {
  for (const value of ['light', 'dark']) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value }, { name: 'prefers-reduced-motion', value: 'reduce' }]);
    await pause(50);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `${screen} is ${wide} px wide`);
    if (pictures) await page.screenshot({ path: join(pictures, `${screen}-${width}-${value}.png`) });
    await page.evaluate(`${axe};0`);
    const violations = await page.evaluate(async () => (await axe.run({ resultTypes: ['violations'] })).violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, any }) => `${html.slice(0, 200)} ${any[0]?.message ?? ''}`).join('; ')}`));
    assert.deepEqual(violations, [], `${screen}, ${value}`);
  }
};

const parts = {
  async browse() {
    await visit('/');
    await shows('Documents', 'photos', 'fdp\ufffdtxt.exe', 'IMG_9.txt', 'IMG_10.txt', 'page.html', 'picture.svg', 'שלום.txt');
    await says('2 folders, 6 files');
    await check('list');
    await page.type('#filter', 'img');
    await shows('IMG_9.txt', 'IMG_10.txt');
    await page.keyboard.press('Escape');
    await button('More'); await check('menu'); await button('Show hidden files');
    await has('.secret');
    await button('More'); await button('Show hidden files');
    await lacks('.secret');
    await button('More'); await button('Sort by: Size'); await button('More'); await button('Sort by: Size');
    await shows('Documents', 'photos', 'IMG_10.txt', 'picture.svg', 'page.html', 'IMG_9.txt', 'שלום.txt', 'fdp\ufffdtxt.exe');
    await visit('/'); // the order is remembered
    assert.equal((await names())[2], 'IMG_10.txt');
    await button('More'); await button('Sort by: Name');
    await page.focus('.scroller');
    await page.keyboard.press('Home'); await page.keyboard.press('ArrowDown'); await page.keyboard.press('Enter');
    await shows('red.png', 'tiny.png');
    assert.equal(new URL(page.url()).pathname, '/photos/');
    await button('Grid'); await has('red.png'); await check('grid');
    await button('List');
    await page.focus('.scroller'); await page.keyboard.press('Backspace');
    await has('Documents');
    await page.goBack(); await has('red.png');
    await page.click('nav.crumbs a'); await has('Documents');
    await button('More'); await button('Connect to this folder'); await dialog();
    await says(`${url}/`); await check('mount'); await page.keyboard.press('Escape'); await noDialog();
    await page.type('#filter', 'deep'); await page.keyboard.press('Enter');
    await shows('deeper', 'deep.txt'); await says('2 results for “deep”'); await check('search');
    await button('Close'); await has('photos');
  },

  async change() {
    await visit('/Documents/');
    await shows('deeper');
    await button('New folder'); await check('new-folder'); await type('Plans'); await has('Plans');
    await button('New folder'); await type('Plans'); await says('exists here already');
    await button('New folder'); await type('a/b'); await says('can’t be empty'); await page.keyboard.press('Escape'); await noDialog();
    await select('Plans'); await check('selected'); await button('Rename'); await type('Drafts'); await has('Drafts'); await lacks('Plans');
    await visit('/'); await select('IMG_9.txt', 'IMG_10.txt'); await button('Copy', '.chosen'); await dialog(); await check('choose');
    await button('Documents', 'dialog'); await says('Drafts'); await button('Copy here'); await noDialog(); await says('Copied 2 items');
    await select('IMG_9.txt', 'IMG_10.txt'); await button('Copy', '.chosen'); await button('Documents', 'dialog'); await says('Drafts'); await button('Copy here');
    await says('exists already'); await check('conflict'); await page.click('dialog input'); await button('Keep both'); await noDialog();
    await visit('/Documents/');
    await shows('deeper', 'Drafts', 'IMG_9 (2).txt', 'IMG_9.txt', 'IMG_10 (2).txt', 'IMG_10.txt');
    await select('IMG_9.txt'); await button('Move', '.chosen'); await button('Drafts', 'dialog'); await says('No folders here.'); await button('Move here'); await lacks('IMG_9.txt');
    assert.equal(await content('/Documents/Drafts/IMG_9.txt'), 'nine');
    // Dragging an entry onto a folder moves it.
    await page.evaluate(() => {
      const find = (name) => [...document.querySelectorAll('.row:not(.heading)')].find((each) => each.querySelector('a').innerText === name);
      const dataTransfer = new DataTransfer();
      const fire = (element, type) => element.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
      fire(find('IMG_10.txt'), 'dragstart'); fire(find('Drafts'), 'dragover'); fire(find('Drafts'), 'drop');
    });
    await lacks('IMG_10.txt');
    assert.equal(await content('/Documents/Drafts/IMG_10.txt'), 'ten, longer than the others so that it has the size that sorts first of all the files, which is more than that of the picture and of the page beside it, with room to spare, even if these grow a little');
    await select('Drafts', 'IMG_9 (2).txt'); await button('Delete'); await dialog(); await check('delete');
    await button('Cancel'); await noDialog(); await has('Drafts');
    await button('Delete'); await button('Delete', 'dialog'); await lacks('Drafts'); await lacks('IMG_9 (2).txt');
    assert.equal(await content('/Documents/Drafts/IMG_10.txt'), '404');
    // A lock of another client.
    await page.evaluate(() => fetch('/Documents/IMG_10 (2).txt', { method: 'LOCK', headers: { Timeout: 'Second-600' }, body: '<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype><D:owner>Word on Ben’s laptop</D:owner></D:lockinfo>' }));
    await visit('/Documents/'); await until('the lock', () => page.$('.lock[title^="Locked by Word on Ben’s laptop until"]'));
    await select('IMG_10 (2).txt'); await button('Delete'); await button('Delete', 'dialog'); await says('it is locked'); await has('IMG_10 (2).txt');
    // The owner of a lock is text for the page, whatever elements it contains.
    await page.evaluate(() => fetch('/Documents/deeper/deep.txt', { method: 'LOCK', headers: { Timeout: 'Second-600' }, body: '<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype><D:owner><D:response a="/>"><D:href>/evil.txt</D:href></D:response><!-- </D:owner> -->&amp; ann</D:owner></D:lockinfo>' }));
    await visit('/Documents/deeper/'); await shows('deep.txt'); await until('its lock', () => page.$('.lock[title^="Locked by /evil.txt& ann until"]'));
  },

  async upload() {
    await visit('/');
    const input = await page.$('#upload-files');
    await input.uploadFile(file('new.txt', 'new'), file('large.bin', Buffer.alloc(3e6, 7)));
    await has('new.txt'); await has('large.bin'); await says('Uploaded 2 files'); await check('uploaded');
    assert.equal((await content('/large.bin')).length, 3e6);
    file('new.txt', 'newer');
    await input.uploadFile(join(dir, 'new.txt'));
    await says('“new.txt” exists already'); await button('Skip'); await noDialog();
    assert.equal(await content('/new.txt'), 'new');
    await input.uploadFile(join(dir, 'new.txt')); await says('“new.txt” exists already'); await button('Keep both'); await has('new (2).txt');
    await input.uploadFile(join(dir, 'new.txt')); await says('“new.txt” exists already'); await button('Replace');
    await until('the new content', async () => await content('/new.txt') === 'newer');
    // Small files go in one request. One that exists does not stop the others.
    await input.uploadFile(file('small 1.txt', '1'), file('new.txt', 'newest'), file('small 2.txt', '2'));
    await says('“new.txt” exists already'); await button('Skip'); await noDialog(); await has('small 1.txt'); await has('small 2.txt');
    for (const [name, wanted] of [['small 1.txt', '1'], ['new.txt', 'newer'], ['small 2.txt', '2']]) assert.equal(await content(`/${name}`), wanted);
    // Files with folders, as an input for folders and a drop have them; and a paste.
    await page.evaluate(() => {
      const file = new File(['in a folder'], 'a.txt');
      Object.defineProperty(file, 'webkitRelativePath', { value: 'trip/day 1/a.txt' });
      const input = document.getElementById('upload-folder');
      Object.defineProperty(input, 'files', { value: [file], configurable: true });
      input.dispatchEvent(new Event('change', { bubbles: true }));
    });
    await has('trip');
    await until('the file in it', async () => await content('/trip/day%201/a.txt') === 'in a folder');
    for (const [type, property] of [['drop', 'dataTransfer'], ['paste', 'clipboardData']]) {
      await page.evaluate((type, property) => {
        const data = new DataTransfer();
        data.items.add(new File([type], `${type}.txt`));
        document.body.dispatchEvent(new (type === 'drop' ? DragEvent : ClipboardEvent)(type, { [property]: data, bubbles: true, cancelable: true }));
      }, type, property);
      await has(`${type}.txt`);
      assert.equal(await content(`/${type}.txt`), type);
    }
    // A paused upload appears only when it is complete, and continues where it was.
    const offsets = [];
    page.on('request', (request) => { if (request.method() === 'PATCH') offsets.push(Number(request.headers()['upload-offset'])); });
    const arrives = () => until('a part', () => page.$eval('.upload progress', ({ value }) => value > 1e6).catch(() => false));
    await page.emulateNetworkConditions({ upload: 1e6, download: 1e8, latency: 1 });
    await page.evaluate(() => {
      const list = new DataTransfer();
      list.items.add(new File([new Uint8Array(5e6)], 'huge.bin'));
      const input = document.getElementById('upload-files');
      input.files = list.files;
      input.dispatchEvent(new Event('change', { bubbles: true }));
    });
    await arrives(); await button('Pause'); await says('Paused'); await check('paused');
    assert.equal(await content('/huge.bin'), '404');
    await page.emulateNetworkConditions(null);
    await button('Resume'); await has('huge.bin');
    assert.equal((await content('/huge.bin')).length, 5e6);
    assert.ok(offsets.at(-1) > 0, `the file began again: ${offsets}`);
    // After a reload, the browser remembers which file it was.
    await page.emulateNetworkConditions({ upload: 1e6, download: 1e8, latency: 1 });
    await page.evaluate(async () => {
      const handle = await (await navigator.storage.getDirectory()).getFileHandle('film.bin', { create: true });
      const writable = await handle.createWritable();
      await writable.write(new Uint8Array(5e6));
      await writable.close();
      window.showOpenFilePicker = async () => [handle];
    });
    await button('Upload'); await button('Upload files'); await arrives();
    await visit('/'); await says('Interrupted upload of film.bin'); await check('interrupted');
    assert.equal(await content('/film.bin'), '404');
    await page.emulateNetworkConditions(null);
    await button('Continue'); await has('film.bin');
    assert.equal((await content('/film.bin')).length, 5e6);
    assert.ok(offsets.at(-1) > 0, `the file began again: ${offsets}`);
    // An upload in parts continues after ten lost connections, and ends byte-identical.
    let breaks = 10;
    const proxy = createServer((client) => {
      const server = connect(new URL(url).port, '127.0.0.1');
      let sent = 0;
      client.on('data', (data) => { if ((sent += data.length) > 7e5 && breaks > 0) { breaks--; client.destroy(); server.destroy(); } });
      client.pipe(server).pipe(client);
      for (const each of [client, server]) each.on('error', () => {}).on('close', () => { client.destroy(); server.destroy(); });
    });
    await new Promise((done) => proxy.listen(0, '127.0.0.1', done));
    await page.goto(`http://127.0.0.1:${proxy.address().port}/`, { waitUntil: 'load' });
    await has('trip');
    await page.evaluate(() => {
      const list = new DataTransfer();
      list.items.add(new File([Uint8Array.from({ length: 12e6 }, (_, i) => (i * 7 + (i >> 8)) & 255)], 'broken.bin'));
      const input = document.getElementById('upload-files');
      input.files = list.files;
      input.dispatchEvent(new Event('change', { bubbles: true }));
    });
    await has('broken.bin');
    assert.equal(await page.evaluate(async () => {
      const got = new Uint8Array(await (await fetch('/broken.bin', { cache: 'no-store' })).arrayBuffer());
      return got.length === 12e6 && got.every((byte, i) => byte === ((i * 7 + (i >> 8)) & 255));
    }), true);
    assert.equal(breaks, 0);
    proxy.close();
  },

  async view() {
    await visit('/photos/');
    await openName('red.png'); await until('the image', () => page.$('.pswp__img')); await pause(300); await check('image');
    await button('Next'); await says('tiny.png'); await page.keyboard.press('Escape'); await until('the end', async () => !await page.$('.pswp'));
    await visit('/'); await openName('IMG_9.txt'); await dialog(); await says('nine'); await check('text'); await page.keyboard.press('Escape'); await noDialog();
    await openName('page.html'); await dialog(); await says('<script>'); await page.keyboard.press('Escape'); await noDialog();
    await openName('picture.svg'); await until('the picture', () => page.$('.pswp__img')); await pause(300); await page.keyboard.press('Escape');
    assert.equal(await page.evaluate(() => window.hacked), undefined);
    // What a file contains can't run, even if a person opens it.
    for (const name of ['page.html', 'picture.svg']) {
      const answer = await page.evaluate(async (name) => { const { headers } = await fetch(name); return [headers.get('content-security-policy'), headers.get('content-disposition')]; }, '/' + name);
      assert.deepEqual(answer, ['sandbox', 'attachment']);
    }
    const bytes = await page.evaluate(async () => [...new Uint8Array(await (await fetch('/photos/?zip')).arrayBuffer()).slice(0, 2)]);
    assert.deepEqual(bytes, [0x50, 0x4b]);
  },

  async operations() {
    await visit('/'); await select('many'); await button('Copy', '.chosen'); await button('target', 'dialog'); await says('No folders here.'); await button('Copy here');
    await says('Copying many'); await until('a percentage', () => page.$('.job .percent')); await check('operation');
    await visit('/'); await says('Copying many'); // found again after a reload
    const first = page;
    page = await newPage(); await visit('/target/'); await says('Copying many'); await page.close(); // and in another tab
    page = first; await page.bringToFront();
    await button('Stop and roll back'); await says('Stopped by you. Nothing changed.'); await check('stopped');
    assert.equal(await content('/target/many/0.txt'), '404');
    await button('Dismiss');
    await select('many'); await button('Delete'); await button('Delete', 'dialog'); await says('Deleting many'); await lacks('many'); await says('Done');
    await page.goto(`${url}/.davd-operations/`); await check('operations');
    await page.goto(`${url}/nothing/here`); await says('There is nothing here'); await check('missing');
    await Promise.all([page.waitForNavigation(), page.click('a.button')]);
  },

  async plain() {
    await page.setJavaScriptEnabled(false);
    await page.goto(url + '/');
    const plain = () => page.$$eval('table.plain tbody a', (links) => links.map((a) => a.innerText));
    assert.deepEqual((await plain()).slice(0, 2), ['Documents/', 'photos/']);
    await Promise.all([page.waitForNavigation(), page.click('th:last-child a')]);
    await Promise.all([page.waitForNavigation(), page.click('th:last-child a')]);
    assert.equal((await plain())[2], 'IMG_10.txt');
    if (pictures) await page.screenshot({ path: join(pictures, `plain-${width}.png`) });
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= width);
    await page.type('input[name=folder]', 'By form');
    await Promise.all([page.waitForNavigation(), page.click('form + form button')]);
    assert.ok((await plain()).includes('By form/'));
    await (await page.$('input[type=file]')).uploadFile(file('form.txt', 'by form'));
    await Promise.all([page.waitForNavigation(), page.click('form button')]);
    assert.ok((await plain()).includes('form.txt'));
    assert.equal(await content('/form.txt'), 'by form');
    await (await page.$('input[type=file]')).uploadFile(file('form.txt', 'again'));
    await Promise.all([page.waitForNavigation(), page.click('form button')]);
    assert.match(await page.$eval('body', (body) => body.innerText), /exists already/);
    await Promise.all([page.waitForNavigation(), page.click('a.button')]);
    assert.equal(await content('/form.txt'), 'by form');
  },
};

try {
  await parts[part]();
  assert.deepEqual(complaints, []);
} catch (error) {
  console.error(complaints.join('\n'));
  await page.screenshot({ path: join(dir, 'failed.png') }).catch(() => {});
  throw error;
} finally {
  await browser.close();
}
