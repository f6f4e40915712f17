import assert from 'node:assert/strict';
import { check, content, file, newPage, page, request, says, setScripts, show, url, user } from './driver.mjs';

const plain = () => page.$$eval('table.plain tbody a', (links) => links.map((a) => a.innerText));
const follow = (selector) => Promise.all([page.waitForNavigation(), page.click(selector)]);

export default async () => {
  await setScripts(false);
  await page.goto(url + '/');
  assert.deepEqual((await plain()).slice(0, 2), ['Documents/', 'photos/']);
  await check('plain');
  await follow('th:last-child a'); await follow('th:last-child a');
  assert.equal((await plain())[2], 'IMG_10.txt');
  assert.equal(await page.$eval('th:last-child', (heading) => heading.getAttribute('aria-sort')), 'descending');
  await page.type('input[name=folder]', 'By form'); await follow('form + form button');
  assert.ok((await plain()).includes('By form/'));
  await (await page.$('input[type=file]')).uploadFile(file('form.txt', 'by form'), file('second.txt', 'second')); await follow('form button');
  assert.ok((await plain()).includes('form.txt'));
  assert.deepEqual([await content('/form.txt'), await content('/second.txt')], ['by form', 'second']);
  await (await page.$('input[type=file]')).uploadFile(file('form.txt', 'again')); await follow('form button');
  assert.match(await page.$eval('body', (body) => body.innerText), /exists already/);
  await check('a conflict without scripts');
  await follow('a.button');
  assert.equal(await content('/form.txt'), 'by form');
  // Folders lead down and up, and files can be read.
  await follow('tbody a[href$="/Documents/"]'); await follow('tbody a');
  assert.deepEqual(await plain(), ['deep.txt']);
  await check('a plain folder');
  await follow('nav li:first-child a');
  assert.ok((await plain()).includes('form.txt'));
  const archive = await request('GET', '/Documents/?zip');
  assert.equal(archive.headers['content-type'], 'application/zip');
  for (const path of ['/nothing/', '/.davd-operations/', '/.davd-operations/nothing']) { await page.goto(url + path); await check(path); }
  if (user) await strangers();
};

// strangers looks at the page for those who have not logged in.
const strangers = async () => {
  const first = page;
  await setScripts(true);
  await show(await newPage({ anonymous: true }));
  await page.goto(url + '/').catch(() => {});
  await says('You are not signed in'); await check('a stranger');
  assert.equal(await page.$eval('a.button', (a) => a.innerText), 'Sign in');
  await page.close(); await show(first);
};
