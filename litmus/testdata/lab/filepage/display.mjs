import assert from 'node:assert/strict';
import { base, button, check, choose, content, dialog, has, noDialog, openName, page, press, request, says, select, shows, type, until, visit } from './driver.mjs';

export default async () => {
  await rightToLeft();
  await motion();
};

// rightToLeft looks at names in Hebrew and Arabic: they have their own direction, and what surrounds
// them keeps its place.
const rightToLeft = async () => {
  const folder = 'תיקייה (1)', report = 'تقرير 2026.pdf';
  await visit('/');
  await request('MKCOL', `/${encodeURIComponent(folder)}`); await request('PUT', `/${encodeURIComponent(report)}`, {}, '%PDF-1.4');
  await visit('/'); await has(folder); await has(report); await has('שלום.txt');
  const cells = await page.$$eval('.row:not(.heading)', (rows) => rows.map((row) => ({
    name: row.querySelector('a').innerText, direction: getComputedStyle(row.querySelector('a bdi')).direction,
    places: ['.check', '.name svg', '.name a', '.time'].map((cell) => Math.round(row.querySelector(cell).getBoundingClientRect().left)),
  })));
  for (const { name, direction, places } of cells) {
    assert.equal(direction, /[\u0590-\u06ff]/.test(name) ? 'rtl' : 'ltr', name);
    assert.deepEqual(places, cells[0].places, `the columns of ${name}`);
  }
  await check('right-to-left names');
  // Questions and messages are sentences from left to right, whatever name they begin with.
  const direction = (selector) => page.$eval(selector, (element) => getComputedStyle(element).direction);
  await select('שלום.txt'); await button('Delete'); await says('Delete “שלום.txt”?'); await check('a question'); await press('Escape'); await noDialog();
  await button('Rename'); await dialog(); assert.equal(await direction('dialog input'), 'rtl'); await check('a new name'); await type('עולם.txt'); await has('עולם.txt');
  await choose({ [report]: 'again' }); await says(`“${report}” exists already`); assert.equal(await direction('dialog h2'), 'ltr'); await check('a conflict'); await button('Skip'); await noDialog();
  await openName(folder); await says('This folder is empty.');
  const crumbs = await page.$$eval('nav.crumbs li', (all) => all.map((li) => [li.innerText.trim(), li.getBoundingClientRect().left]));
  assert.deepEqual(crumbs.map(([name]) => name), ['Files', folder]);
  assert.ok(crumbs[0][1] < crumbs[1][1], 'the path runs from right to left');
  await button('New folder'); await type('חדש'); await has('חדש'); await check('a right-to-left path');
  await page.type('#filter', 'חד'); await shows('חדש'); assert.equal(await direction('#filter'), 'rtl');
  await button('Grid'); await has('חדש'); await check('right-to-left names in the grid'); await button('List');
  assert.notEqual(await content(`/${encodeURIComponent('עולם.txt')}`), '404');
};

// moving returns the elements that move or fade.
const moving = () => page.evaluate(() => [...document.querySelectorAll('*')].flatMap((element) => [null, '::before', '::after', '::-webkit-progress-value', '::backdrop'].filter((part) => {
  const { transitionDuration, animationName, animationDuration } = getComputedStyle(element, part);
  return transitionDuration.split(', ').some((time) => parseFloat(time) > 0) || animationName !== 'none' && animationDuration.split(', ').some((time) => parseFloat(time) > 0);
}).map((part) => `${element.localName}.${element.getAttribute('class')}${part ?? ''}`)));

// motion checks that nothing moves or fades by itself for those who asked for that.
const motion = async () => {
  const prefer = (value) => page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value }]);
  await prefer('no-preference'); await visit('/'); await has('photos');
  assert.notDeepEqual(await moving(), []);
  await prefer('reduce');
  const still = async (screen) => assert.deepEqual(await moving(), [], screen);
  await still('list');
  await button('Grid'); await still('grid'); await button('List');
  await page.emulateNetworkConditions({ upload: 1e6, download: 1e8, latency: 1 });
  await choose({ 'huge.bin': 3e6 }); await until('the bar', () => page.$('.upload progress')); await still('uploads');
  await page.emulateNetworkConditions(null); await has('huge.bin');
  await openName('IMG_9.txt'); await dialog(); await still('text'); await press('Escape'); await noDialog();
  await page.evaluate(async (path) => {
    const canvas = new OffscreenCanvas(2000, 2000);
    canvas.getContext('2d').fillRect(0, 0, 2000, 2000);
    await fetch(path, { method: 'PUT', body: await canvas.convertToBlob() });
  }, `${base}/photos/large.png`);
  await visit('/photos/'); await has('large.png'); await openName('large.png'); await until('the picture', () => page.$('.pswp__img')); await still('image');
  // The zoom is reached at once.
  const [before, after] = await until('the size', () => page.evaluate(() => {
    const image = document.querySelector('.pswp__img'), wide = () => image.getBoundingClientRect().width;
    if (!image.complete || !image.naturalWidth || wide() > innerWidth) return null;
    return [wide(), (document.querySelector('.pswp__button--zoom').click(), wide())];
  }));
  assert.ok(after > before, `the zoom goes from ${before} to ${after} px`);
  await press('Escape'); await until('the end', async () => !await page.$('.pswp'));
};
