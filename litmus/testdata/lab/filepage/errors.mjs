import assert from 'node:assert/strict';
import { inflateRawSync } from 'node:zlib';
import { base, button, check, file, has, lock, openName, page, request, says, setScripts, until, url, user, visit } from './driver.mjs';

// error checks an error page, and that its link leads to the folder above.
const error = async (answer, status, title, above) => {
  assert.equal(answer.status(), status);
  assert.equal(await page.$eval('h1', (h1) => h1.innerText), title);
  await check(`${status} ${title}`);
  const links = await page.$$eval('a.button', (all) => all.map((a) => [a.innerText, new URL(a.href).pathname]));
  assert.deepEqual(links[0], ['Go to the folder above', base + above]);
  if (status === 503) assert.deepEqual(links[1], ['Try again', new URL(page.url()).pathname]);
  await Promise.all([page.waitForNavigation(), page.click('a.button')]);
};
const sent = (selector) => Promise.all([page.waitForNavigation(), page.click(selector)]).then(([answer]) => answer);

export default async () => {
  await error(await page.goto(`${url}/docs/letterbox/`), 403, 'You can\'t open this', '/docs/'); await has('letterbox');
  await error(await page.goto(`${url}/docs/nothing.txt`), 404, 'There is nothing here', '/docs/'); await has('letterbox');
  await error(await page.goto(`${url}/docs/nothing/`), 404, 'There is nothing here', '/docs/'); await has('letterbox');
  await error(await page.goto(`${url}/damaged/sub/odd.txt`), 500, 'The server has a problem', '/damaged/sub/'); await has('odd.txt');
  if (user) { await error(await page.goto(`${url}/gone/`), 503, 'The server is busy', '/'); await has('docs'); } else assert.equal((await page.goto(`${url}/gone/`)).status(), 503);
  await withinThePage();
  await withoutScripts();
  await archives();
};

// withinThePage opens what can't be opened by a click, and finds the way back.
const withinThePage = async () => {
  await visit('/docs/'); await has('letterbox'); await openName('letterbox'); await says('you may not do this'); await check('a folder that can’t be listed');
  await page.goBack(); await has('letterbox');
  await request('DELETE', '/docs/locked/a.txt');
  await openName('locked'); await says('This folder is empty.'); await check('an empty folder');
  await page.goBack(); await has('locked');
  await request('MKCOL', '/docs/old'); await visit('/docs/'); await has('old'); await request('DELETE', '/docs/old');
  await openName('old'); await says('it is no longer there'); await check('a folder that has gone');
  await request('MKCOL', '/docs/old'); await button('Try again'); await says('This folder is empty.');
};

// withoutScripts sends forms that the server refuses.
const withoutScripts = async () => {
  await visit('/docs/');
  await lock('/docs/locked/', 'ann');
  await setScripts(false);
  await page.goto(`${url}/docs/locked/`); await page.type('input[name=folder]', 'new');
  await error(await sent('form + form button'), 423, 'This is locked', '/docs/locked/');
  assert.equal((await request('PROPFIND', '/docs/locked/new', { Depth: '0' })).status, 404);
  await page.goto(`${url}/full/`); await (await page.$('input[type=file]')).uploadFile(file('large.txt', 'x'.repeat(2000)));
  await error(await sent('form button'), 507, 'There is no room left', '/full/');
  assert.deepEqual(await page.$$eval('table.plain tbody a', (all) => all.map((a) => a.innerText)), ['a.txt']);
  await error(await page.goto(`${url}/docs/letterbox/`), 403, 'You can\'t open this', '/docs/');
  await setScripts(true);
};

// archives checks that an archive has what can be read, and names what can't.
const archives = async () => {
  await visit('/damaged/'); await has('whole.txt');
  const archive = Buffer.from(await page.evaluate(async () => btoa(String.fromCharCode(...new Uint8Array(await (await fetch('?zip')).arrayBuffer())))), 'base64');
  const members = unzip(archive);
  assert.deepEqual(Object.keys(members).sort(), ['davd-errors.txt', 'sub/', 'whole.txt']);
  assert.equal(members['whole.txt'], 'whole');
  assert.match(members['davd-errors.txt'], /^These members are missing in this archive:\n\nsub\/odd\.txt: /);
};

// unzip returns the names and contents of an archive's members.
const unzip = (archive) => {
  const members = {};
  for (let at = archive.indexOf('PK\u0001\u0002'); archive.readUInt32LE(at) === 0x02014b50;) {
    const [names, extra, comment] = [28, 30, 32].map((field) => archive.readUInt16LE(at + field));
    const size = archive.readUInt32LE(at + 20), local = archive.readUInt32LE(at + 42);
    const begin = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28), content = archive.subarray(begin, begin + size);
    members[archive.toString('utf8', at + 46, at + 46 + names)] = String(archive.readUInt16LE(at + 10) ? inflateRawSync(content) : content);
    at += 46 + names + extra + comment;
  }
  return members;
};
