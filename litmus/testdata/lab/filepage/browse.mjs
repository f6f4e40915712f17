import assert from 'node:assert/strict';
import { base, button, check, dialog, has, lacks, names, noDialog, page, says, shows, url, visit } from './driver.mjs';

export default async () => {
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
  assert.equal(new URL(page.url()).pathname, base + '/photos/');
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
};
