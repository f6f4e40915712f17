import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { base, button, check, choose, content, dir, file, has, noDialog, page, request, says, signIn, until, url, visit } from './driver.mjs';

export default async () => {
  await visit('/');
  const input = await page.$('#upload-files');
  await input.uploadFile(file('new.txt', 'new'), file('large.bin', Buffer.alloc(3e6, 7)));
  await has('new.txt'); await has('large.bin'); await says('Uploaded 2 files'); await check('uploaded');
  assert.equal((await content('/large.bin')).length, 3e6);
  file('new.txt', 'newer');
  await input.uploadFile(join(dir, 'new.txt'));
  await says('“new.txt” exists already');
  await until('both sizes', async () => /^3 B, .*, 5 B, .*\d:\d\d/.test((await page.$$eval('dialog dd', (all) => all.map((dd) => dd.innerText))).join(', ')));
  await check('a conflict of an upload'); await button('Skip'); await noDialog();
  assert.equal(await content('/new.txt'), 'new');
  await input.uploadFile(join(dir, 'new.txt')); await says('“new.txt” exists already'); await button('Keep both'); await has('new (2).txt');
  await input.uploadFile(join(dir, 'new.txt')); await says('“new.txt” exists already'); await button('Replace');
  await until('the new content', async () => await content('/new.txt') === 'newer');
  // Small files go in one request. One that exists does not stop the others.
  await input.uploadFile(file('small 1.txt', '1'), file('new.txt', 'newest'), file('small 2.txt', '2'));
  await says('“new.txt” exists already'); await button('Skip'); await noDialog(); await has('small 1.txt'); await has('small 2.txt');
  for (const [name, wanted] of [['small 1.txt', '1'], ['new.txt', 'newer'], ['small 2.txt', '2']]) assert.equal(await content(`/${name}`), wanted);
  await folders();
  for (const [type, property] of [['drop', 'dataTransfer'], ['paste', 'clipboardData']]) {
    await page.evaluate((type, property) => {
      const data = new DataTransfer();
      data.items.add(new File([type], `${type}.txt`));
      document.body.dispatchEvent(new (type === 'drop' ? DragEvent : ClipboardEvent)(type, { [property]: data, bubbles: true, cancelable: true }));
    }, type, property);
    await has(`${type}.txt`);
    assert.equal(await content(`/${type}.txt`), type);
  }
  await foldersAtOnce();
  await pauses();
  await breaks();
};

// foldersAtOnce drops a folder with files and folders from a file manager, and pastes one.
const foldersAtOnce = async () => {
  file('dropped/inner/deep.txt', 'deep'); file('dropped/top.txt', 'top');
  const session = await page.createCDPSession();
  const data = { items: [], files: [join(dir, 'dropped'), file('beside.txt', 'beside')], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver']) await session.send('Input.dispatchDragEvent', { type, x: 160, y: 400, data });
  await says('Drop to upload to this folder'); await check('drop');
  await session.send('Input.dispatchDragEvent', { type: 'drop', x: 160, y: 400, data });
  await has('dropped'); await has('beside.txt');
  for (const [path, wanted] of [['/dropped/inner/deep.txt', 'deep'], ['/dropped/top.txt', 'top'], ['/beside.txt', 'beside']]) await until(path, async () => await content(path) === wanted);
  // A script can't make the entries of a folder, so these have what the page uses of them.
  await page.evaluate(() => {
    const entryOf = (name) => ({ name, isFile: true, file: (done) => done(new File([name], name)) });
    const folderOf = (name, members) => ({ name, isFile: false, isDirectory: true, createReader: () => { const batches = [members.slice(0, 1), members.slice(1), []]; return { readEntries: (done) => done(batches.shift()) }; } });
    const entry = folderOf('pasted', [entryOf('one.txt'), folderOf('inner', [entryOf('two.txt')])]);
    const clipboardData = { files: [new File([], 'pasted')], items: [{ kind: 'file', webkitGetAsEntry: () => entry, getAsFile: () => new File([], 'pasted') }] };
    document.body.dispatchEvent(Object.assign(new Event('paste', { bubbles: true, cancelable: true }), { clipboardData }));
  });
  await has('pasted');
  for (const [path, wanted] of [['/pasted/one.txt', 'one.txt'], ['/pasted/inner/two.txt', 'two.txt']]) await until(path, async () => await content(path) === wanted);
};

// folders uploads whole folders, with names that URLs and HTML treat in a special way.
const folders = async () => {
  await choose({ 'trip/day 1/a.txt': 'in a folder', 'trip/day 1/%2e%2e.txt': 'percent', 'trip/day 2/<b>&amp;.txt': 'markup', 'trip/#?.txt': 'fragment' });
  await has('trip');
  for (const [name, want] of [['day 1/a.txt', 'in a folder'], ['day 1/%2e%2e.txt', 'percent'], ['day 2/<b>&amp;.txt', 'markup'], ['#?.txt', 'fragment']]) {
    await until(name, async () => await content('/trip/' + name.split('/').map(encodeURIComponent).join('/')) === want);
  }
  // Once more, into the same folders: one question for all.
  await choose({ 'trip/day 1/a.txt': 'again', 'trip/#?.txt': 'again' });
  await says('exists already'); await page.click('dialog input'); await button('Replace'); await noDialog();
  await until('the new content', async () => await content('/trip/day%201/a.txt') === 'again' && await content('/trip/%23%3F.txt') === 'again');
};

// pauses pauses uploads. A file appears only when it is complete, and an upload continues where it was.
const pauses = async () => {
  const offsets = [];
  page.on('request', (request) => { if (request.method() === 'PATCH') offsets.push(Number(request.headers()['upload-offset'])); });
  const arrives = () => until('a part', () => page.$eval('.upload progress', ({ value }) => value > 1e6).catch(() => false));
  const slow = { upload: 1e6, download: 1e8, latency: 1 };
  await page.emulateNetworkConditions(slow);
  await choose({ 'huge.bin': 5e6 });
  await arrives(); await button('Pause'); await says('Paused'); await check('paused');
  assert.equal(await content('/huge.bin'), '404');
  await page.emulateNetworkConditions(null);
  await button('Resume'); await has('huge.bin');
  assert.equal((await content('/huge.bin')).length, 5e6);
  assert.ok(offsets.at(-1) > 0, `the file began again: ${offsets}`);
  // After a reload, the browser remembers which file it was.
  await page.emulateNetworkConditions(slow);
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
};

// breaks loses the connection ten times. The upload, which is in parts, ends byte-identical.
const breaks = async () => {
  let left = 10;
  const proxy = createServer((client) => {
    const server = connect(new URL(url).port, '127.0.0.1');
    let sent = 0;
    client.on('data', (data) => { if ((sent += data.length) > 7e5 && left > 0) { left--; client.destroy(); server.destroy(); } });
    client.pipe(server).pipe(client);
    for (const each of [client, server]) each.on('error', () => {}).on('close', () => { client.destroy(); server.destroy(); });
  });
  await new Promise((done) => proxy.listen(0, '127.0.0.1', done));
  const through = `http://127.0.0.1:${proxy.address().port}${base}`;
  await signIn(page, through);
  await page.goto(`${through}/`, { waitUntil: 'load' });
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
    const got = new Uint8Array(await (await fetch('broken.bin', { cache: 'no-store' })).arrayBuffer());
    return got.length === 12e6 && got.every((byte, i) => byte === ((i * 7 + (i >> 8)) & 255));
  }), true);
  assert.equal(left, 0);
  proxy.close();
};
