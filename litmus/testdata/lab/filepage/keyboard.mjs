import { dialog, focused, has, keepsFocus, lacks, noDialog, page, press, says, shows, tabTo, until, visible, visit, width } from './driver.mjs';

export default async () => {
  await visit('/'); await shows('many', 'target', 'b.txt'); await keepsFocus('many');
  await folders();
  await copy();
  // The viewer, the menu, the filter and a dialog give the focus back.
  await page.focus('.scroller'); await press('End'); await keepsFocus('b.txt'); await press('Enter'); await dialog(); await press('Escape'); await noDialog(); await keepsFocus('b.txt');
  await tabTo('More', 'Shift+Tab'); await visible(); await press('Enter'); await tabTo('Connect to this folder'); await press('Escape'); await keepsFocus('More');
  await press('Enter'); await tabTo('Connect to this folder'); await press('Enter'); await dialog(); await press('Escape'); await noDialog(); await keepsFocus('More');
  await page.focus('.scroller'); await press('/'); await page.keyboard.type('b.t'); await shows('b.txt'); await visible(); await press('Escape'); await has('many');
  if (width < 768) return; // narrow lists are sorted with the menu
  await tabTo('Name▲'); await press('Enter'); await shows('target', 'many', 'b.txt'); await keepsFocus('Name▲');
};

// folders makes, renames and deletes folders.
const folders = async () => {
  await tabTo('New folder', 'Shift+Tab'); await visible(); await press('Enter'); await dialog(); await page.keyboard.type('new'); await press('Enter'); await noDialog(); await has('new');
  await keepsFocus('New folder');
  await tabTo('new'); // the new one is where the arrow keys begin
  await press('F2'); await dialog(); await page.keyboard.type('newer'); await press('Enter'); await noDialog(); await has('newer'); await keepsFocus('newer');
  await press('F2'); await dialog(); await press('Escape'); await noDialog(); await keepsFocus('newer');
  await press('Delete'); await dialog(); await keepsFocus('Cancel'); await press('Tab', 'Enter'); await noDialog(); await lacks('newer');
  await until('the focus on a neighbour', async () => ['target', 'b.txt'].includes(await focused()));
  // With the buttons of a selection, which then vanish.
  await press('Home', ' '); await press('ArrowDown', ' '); await says('2'); await tabTo('Clear selection', 'Shift+Tab'); await press('Enter');
  await until('the focus on the list', () => page.evaluate(() => document.activeElement.matches('.scroller')));
};

// copy copies a folder, and stops that.
const copy = async () => {
  await press('Home', ' '); await tabTo('Copy', 'Shift+Tab'); await press('Enter'); await dialog();
  await tabTo('target'); await press('Enter'); await says('No folders here.');
  await until('the focus in the dialog', () => page.evaluate(() => document.activeElement.closest('dialog') !== null));
  await tabTo('Copy here'); await press('Enter'); await noDialog(); await says('Copying many');
  await until('the focus on the list', () => page.evaluate(() => document.activeElement.matches('.scroller')));
  await tabTo('Stop and roll back'); await visible(); await press('Enter'); await says('Stopped by you. Nothing changed.');
  await until('the focus in the panel', () => page.evaluate(() => document.activeElement.closest('.activity') !== null));
  while (await page.$('.activity')) { await tabTo('Dismiss'); await press('Enter'); }
  await until('the focus on the list', () => page.evaluate(() => document.activeElement.matches('.scroller')));
};
