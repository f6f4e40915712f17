import assert from 'node:assert/strict';
import { button, check, content, dialog, drag, has, lacks, lock, noDialog, page, press, request, says, select, shows, type, until, visit } from './driver.mjs';

export default async () => {
  await visit('/Documents/');
  await shows('deeper');
  await button('New folder'); await check('new-folder'); await type('Plans'); await has('Plans');
  await button('New folder'); await type('Plans'); await says('exists here already');
  await button('New folder'); await type('a/b'); await says('can’t be empty'); await press('Escape'); await noDialog();
  await select('Plans'); await check('selected'); await button('Rename'); await type('Drafts'); await has('Drafts'); await lacks('Plans');
  await copies();
  await visit('/Documents/');
  await shows('deeper', 'Drafts', 'IMG_9 (2).txt', 'IMG_9.txt', 'IMG_10 (2).txt', 'IMG_10.txt');
  await select('IMG_9.txt'); await button('Rename'); await type('IMG_10.txt'); await says('exists here already'); await noDialog();
  await button('Move', '.chosen'); await button('Drafts', 'dialog'); await says('No folders here.'); await button('Move here'); await lacks('IMG_9.txt');
  assert.equal(await content('/Documents/Drafts/IMG_9.txt'), 'nine');
  await drag('IMG_10.txt', 'Drafts'); await lacks('IMG_10.txt');
  assert.match(await content('/Documents/Drafts/IMG_10.txt'), /^ten, /);
  await drag('IMG_9 (2).txt', 'Files', true); await says('Copied 1 item'); await has('IMG_9 (2).txt'); // a copy onto a folder above
  assert.equal(await content('/IMG_9 (2).txt'), 'nine');
  await select('Drafts', 'IMG_9 (2).txt'); await button('Delete'); await dialog(); await check('delete');
  await button('Cancel'); await noDialog(); await has('Drafts');
  await button('Delete'); await button('Delete', 'dialog'); await lacks('Drafts'); await lacks('IMG_9 (2).txt');
  assert.equal(await content('/Documents/Drafts/IMG_10.txt'), '404');
  await locks();
};

// copies copies two files to where they are already, with each answer to the question about that.
const copies = async () => {
  const copy = async () => {
    await visit('/'); await select('IMG_9.txt', 'IMG_10.txt'); await button('Copy', '.chosen'); await button('Documents', 'dialog'); await says('Drafts'); await button('Copy here');
  };
  await visit('/'); await select('IMG_9.txt', 'IMG_10.txt'); await button('Copy', '.chosen'); await dialog(); await says('Documents'); await check('choose'); await press('Escape'); await noDialog();
  await copy(); await noDialog(); await says('Copied 2 items');
  await request('PUT', '/Documents/IMG_9.txt', {}, 'other nine'); await request('PUT', '/Documents/IMG_10.txt', {}, 'other ten');
  await copy(); await says('exists already');
  // The question tells the files apart: “other nine” is written later.
  const sides = await until('both sizes', async () => { const found = await page.$$eval('dialog dd', (all) => all.map((dd) => dd.innerText)); return found.every(Boolean) && found; });
  assert.match(sides[0], /^(10|9) B, .*\d:\d\d/); assert.match(sides[1], /^(4|259) B, .*\d:\d\d/);
  await check('conflict'); await page.click('dialog input'); await button('Skip'); await noDialog();
  assert.deepEqual([await content('/Documents/IMG_9.txt'), await content('/Documents/IMG_10.txt')], ['other nine', 'other ten']);
  // One question for each name, without “the same for all”.
  const question = () => page.$eval('dialog[open] h2', (heading) => /“\u2068(.*)\u2069” exists already/.exec(heading.innerText)?.[1]).catch(() => null);
  await copy();
  const first = await until('a question', question); await button('Replace');
  const second = await until('another question', async () => await question() !== first && question()); await press('Escape'); await noDialog();
  await until('the replacement', async () => !(await content(`/Documents/${first}`)).startsWith('other'));
  assert.match(await content(`/Documents/${second}`), /^other /);
  await copy(); await says('exists already'); await page.click('dialog input'); await button('Replace'); await noDialog();
  await until('both replacements', async () => await content('/Documents/IMG_9.txt') === 'nine' && (await content('/Documents/IMG_10.txt')).startsWith('ten, '));
  await copy(); await says('exists already'); await page.click('dialog input'); await button('Keep both'); await noDialog(); await says('Copied 2 items');
};

// locks looks at files that other clients have locked.
const locks = async () => {
  const token = await lock('/Documents/IMG_10 (2).txt', 'Word on Ben’s laptop');
  await visit('/Documents/');
  const title = await until('the lock', () => page.$eval('.lock', (mark) => mark.title).catch(() => ''));
  assert.match(title, /^Locked by \u2068Word on Ben’s laptop\u2069 until .*\d+:\d\d/);
  await check('locked');
  await select('IMG_10 (2).txt'); await button('Delete'); await button('Delete', 'dialog'); await says('it is locked'); await has('IMG_10 (2).txt');
  await select('IMG_10 (2).txt'); await button('Rename'); await type('other.txt'); await says('it is locked'); await has('IMG_10 (2).txt');
  assert.equal((await request('UNLOCK', '/Documents/IMG_10 (2).txt', { 'Lock-Token': token })).status, 204);
  await visit('/Documents/'); await until('the end of the lock', async () => !await page.$('.lock'));
  // The owner of a lock is text for the page, whatever elements it contains.
  await lock('/Documents/deeper/deep.txt', '<D:response a="/>"><D:href>/evil.txt</D:href></D:response><!-- </D:owner> -->&amp; ann');
  await visit('/Documents/deeper/'); await shows('deep.txt'); await until('its lock', () => page.$('.lock[title^="Locked by \u2068/evil.txt& ann\u2069 until"]'));
};
