import assert from 'node:assert/strict';
import { browser, button, check, dialog, downloaded, noDialog, openName, page, press, request, says, shows, until, visit } from './driver.mjs';

export default async () => {
  await visit('/');
  await shows('broken.png', 'broken.webm', 'clip.webm', 'document.pdf', 'first.png', 'long.log', 'notes.txt', 'second.png', 'sound.wav', 'third.png', 'unknown.bin');
  await images();
  await texts();
  await media();
  await openName('document.pdf'); await dialog();
  // The browser's own viewer, in a frame of another process, shows the document.
  const frame = await until('the frame', () => page.$('iframe[title="document.pdf"]'));
  await until('the PDF viewer', async () => browser.targets().some((target) => target.url().startsWith('chrome-extension://') || target.url().endsWith('/document.pdf')) && frame.evaluate((element) => element.clientHeight > 100));
  await check('pdf'); await press('Escape'); await noDialog();
  await downloads();
};

const images = async () => {
  const caption = () => page.$eval('.pswp .caption, .pswp__caption', (element) => element.textContent).catch(() => '');
  const shown = (name) => until(`the image ${name}`, async () => await caption() === name && page.evaluate(() => [...document.querySelectorAll('.pswp__img')].some((image) => image.complete && image.naturalWidth > 0)));
  await openName('first.png'); await shown('first.png'); await check('image');
  await button('Next'); await shown('second.png');
  await press('ArrowRight'); await shown('third.png'); await press('ArrowRight'); await shown('third.png'); // the last one
  // Zoom by button and by key: the picture is larger than the window, so it has room to grow.
  const wide = () => page.evaluate(() => Math.max(...[...document.querySelectorAll('.pswp__img')].map((image) => image.getBoundingClientRect().width)));
  const before = await wide();
  await button('Zoom'); await until('a larger picture', async () => await wide() > before * 1.2);
  await button('Zoom'); await until('the whole picture', async () => Math.abs(await wide() - before) < 2);
  await button('Previous'); await shown('second.png');
  await downloaded('second.png', () => button('Download', '.pswp'));
  await press('Escape'); await until('the end', async () => !await page.$('.pswp'));
  assert.equal(await page.evaluate(() => document.activeElement !== document.body), true, 'the focus is lost');
  await openName('broken.png'); await says('can’t be shown'); assert.equal(await page.$('.pswp'), null);
};

const texts = async () => {
  await openName('notes.txt'); await dialog(); await says('second <b>line</b>'); await check('text');
  await downloaded('notes.txt', () => button('Download', 'dialog')); await press('Escape'); await noDialog();
  await openName('long.log'); await dialog(); await says('Only the beginning is shown.');
  assert.equal(await until('the text', () => page.$eval('pre.content', (pre) => pre.textContent.length > 1000 && pre.textContent.length)), 512 * 1024);
  await press('Escape'); await noDialog();
};

const media = async () => {
  const ranges = [];
  const note = (request) => { if (request.headers().range) ranges.push(request.headers().range); };
  page.on('request', note);
  for (const [name, kind, seconds] of [['clip.webm', 'video', 4], ['sound.wav', 'audio', 3000]]) {
    await openName(name); await dialog();
    await until(`the length of ${name}`, () => page.$eval(kind, (media) => media.duration > 0).catch(() => false));
    assert.equal(Math.round(await page.$eval(kind, (media) => media.duration)), seconds);
    await check(kind);
    await page.$eval(kind, (media) => { media.muted = true; media.currentTime = media.duration * 0.75; });
    await until('the other place', () => page.$eval(kind, (media) => !media.seeking && media.readyState >= 2 && media.currentTime >= media.duration * 0.7));
    await page.$eval(kind, (media) => media.play());
    await until('the content there', () => page.$eval(kind, (media) => media.ended || media.currentTime > media.duration * 0.75 + 0.1));
    assert.equal(await page.$eval(kind, (media) => media.error), null);
    await press('Escape'); await noDialog();
  }
  page.off('request', note);
  assert.ok(ranges.some((range) => Number(/^bytes=(\d+)-/.exec(range)?.[1]) > 1e7), `no part of the long sound was asked for: ${ranges}`);
  await openName('broken.webm'); await dialog(); await says('can’t be shown'); await press('Escape'); await noDialog();
};

// downloads checks that other files, folders and selections are downloaded.
const downloads = async () => {
  const answer = await request('GET', '/unknown.bin');
  assert.equal(answer.headers['content-disposition'], 'attachment');
  for (const path of ['/?zip', '/?zip&name=notes.txt&name=clip.webm']) {
    const { headers, text } = await request('GET', path);
    assert.equal(headers['content-type'], 'application/zip');
    assert.equal(text.startsWith('PK'), true);
    assert.equal(text.includes('notes.txt'), true);
    assert.equal(text.includes('first.png'), !path.includes('name='));
  }
  await downloaded('unknown.bin', () => openName('unknown.bin'));
};
