import assert from 'node:assert/strict';
import { base, choose, content, dialog, downloaded, file, focused, has, keepsFocus, lacks, names, noDialog, page, press, request, says, shows, tabTo, until, visible, visit } from './driver.mjs';

const type = (words) => page.keyboard.type(words);
const toList = async (key = 'Tab') => { for (let i = 0; i < 40 && !await page.evaluate(() => document.activeElement.matches('.scroller')); i++) await press(key); };
const selected = () => page.$$eval('[aria-selected=true]', (all) => all.length);

// Nobody touches a mouse here.
export default async () => {
  await page.evaluateOnNewDocument(() => { window.showOpenFilePicker = undefined; }); // as in Firefox and Safari
  await visit('/'); await has('IMG_9.txt'); await keepsFocus('Documents');
  await uploads();
  await moves();
  await views();
  await finds();
};

// uploads uploads files and a folder, and pauses that.
const uploads = async () => {
  // The browser's own dialog would open; it is not part of the page.
  const upload = async (item, id, path) => {
    await page.$eval(id, (input) => { window.asked = new Promise((asked) => input.addEventListener('click', (e) => { e.preventDefault(); asked(); }, { once: true })); });
    await tabTo('Upload', 'Shift+Tab'); await visible(); await press('Enter'); await tabTo(item); await visible(); await press('Enter');
    await page.evaluate(() => window.asked);
    await (await page.$(id)).uploadFile(path);
  };
  await upload('Upload files', '#upload-files', file('by key.txt', 'by key')); await has('by key.txt');
  file('trip/day/one.txt', 'one'); await upload('Upload a folder', '#upload-folder', file('trip/two.txt', 'two').replace('/two.txt', '')); await has('trip');
  await until('the files', async () => await content('/trip/day/one.txt') === 'one' && await content('/trip/two.txt') === 'two');
  await page.emulateNetworkConditions({ upload: 1e6, download: 1e8, latency: 1 });
  await choose({ 'huge.bin': 5e6 });
  await tabTo('Pause'); await visible(); await press('Enter'); await says('Paused'); await page.emulateNetworkConditions(null);
  await tabTo('Resume'); await press('Enter'); await has('huge.bin');
  while (await page.$('.activity .buttons')) { await tabTo('Clear finished'); await press('Enter'); }
};

// moves moves a file to where its name exists already, and answers the question.
const moves = async () => {
  await request('PUT', '/Documents/IMG_9.txt', {}, 'other nine');
  const start = async (verb) => {
    await toList(); await press('Home'); await to('IMG_9.txt'); await press(' '); await to('IMG_10.txt'); await press(' '); await tabTo(verb, 'Shift+Tab'); await visible(); await press('Enter'); await dialog();
    await tabTo('Documents'); await visible(); await press('Enter'); await says('deeper'); await tabTo(`${verb} here`); await press('Enter'); await says('“IMG_9.txt” exists already');
  };
  await start('Copy'); await tabTo('Skip'); await visible(); await press('Enter'); await noDialog();
  assert.equal(await content('/Documents/IMG_9.txt'), 'other nine');
  await request('DELETE', '/Documents/IMG_10.txt');
  await start('Copy'); await tabTo('input', 'Shift+Tab'); await visible(); await press(' '); await tabTo('Keep both'); await press('Enter'); await noDialog(); await says('Copied 2 items');
  await request('DELETE', '/Documents/IMG_10.txt');
  await start('Move'); await tabTo('Replace', 'Shift+Tab'); await press('Enter'); await noDialog(); await says('Moved 2 items'); await lacks('IMG_9.txt');
  await page.evaluate((at) => fetch(`${at}/Documents/IMG_10.txt`, { method: 'MOVE', headers: { Destination: `${location.origin}${at}/IMG_10.txt` } }), base); await visit('/'); await has('IMG_10.txt');
  assert.deepEqual([await content('/Documents/IMG_9.txt'), await content('/Documents/IMG_9 (2).txt')], ['nine', 'nine']);
};

// to presses the arrow key until an entry is the active one.
const to = async (name, key = 'ArrowDown') => {
  for (let i = 0; i < 30 && await focused() !== name; i++) await press(key);
  assert.equal(await focused(), name);
};

// views opens, selects and downloads files in the list and in the grid.
const views = async () => {
  await toList(); await press('Home'); await to('IMG_10.txt'); await press('Enter'); await dialog(); await says('largest of the files');
  await tabTo('Download'); await visible(); await downloaded('IMG_10.txt', () => press('Enter')); await press('Escape'); await noDialog(); await keepsFocus('IMG_10.txt');
  await press('Control+a'); assert.ok(await selected() > 5); await press('Escape'); assert.equal(await selected(), 0);
  await press('Home', 'Shift+ArrowDown'); await until('two selected', async () => await selected() === 2); await press('Escape');
  await tabTo('Grid', 'Shift+Tab'); await visible(); await press('Enter'); await toList(); await press('Home'); await keepsFocus('Documents');
  assert.notEqual(await page.$eval('.tile.active', (tile) => getComputedStyle(tile).outlineStyle), 'none');
  await press('ArrowRight'); await keepsFocus('photos'); await press('Enter'); await shows('red.png', 'tiny.png');
  await press('Enter'); await until('the picture', () => page.$('.pswp__img'));
  await press('ArrowRight'); await until('the next one', () => page.$eval('.pswp__caption', (caption) => caption.textContent === 'tiny.png'));
  await tabTo('Download'); await visible(); await downloaded('photos/tiny.png', () => press('Enter'));
  await press('Escape'); await until('the end', async () => !await page.$('.pswp')); await keepsFocus('red.png');
  await tabTo('List', 'Shift+Tab'); await press('Enter'); await toList(); await press('Alt+ArrowUp'); await has('photos');
};

// finds switches hidden files, searches, and follows the path.
const finds = async () => {
  await tabTo('More', 'Shift+Tab'); await press('Enter'); await tabTo('Show hidden files'); await visible(); await press('Enter'); await has('.secret');
  await tabTo('More'); await press('Enter'); await tabTo('Show hidden files'); await press('Enter'); await lacks('.secret');
  await tabTo('More'); await press('Enter'); await tabTo('Download this folder as ZIP'); await visible(); await press('Escape');
  await toList(); await press('/'); await type('deep'); await press('Enter'); await shows('deeper', 'deep.txt');
  await toList(); await press('Home'); await keepsFocus('deeper'); await press('Enter'); await shows('deep.txt');
  await tabTo('Documents', 'Shift+Tab'); await visible(); await press('Enter'); await has('deeper');
  await tabTo('Files', 'Shift+Tab'); await press('Enter'); await has('Documents');
  assert.ok((await names()).includes('photos'));
};
