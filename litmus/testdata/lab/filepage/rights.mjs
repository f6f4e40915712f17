import assert from 'node:assert/strict';
import { button, check, content, dialog, drag, noDialog, page, press, request, says, select, shows, until, url, visit } from './driver.mjs';

const offered = () => page.$$eval('.tools :is(button, summary)', (all) => all.map((each) => each.title).filter(Boolean));
const offers = (...wanted) => until(`the buttons ${wanted}`, async () => JSON.stringify(await offered()) === JSON.stringify(wanted));
const clear = () => button('Clear selection');

export default async () => {
  await visit('/'); await shows('docs', 'photos'); // neither private nor the secret folder
  await offers('Grid', 'More'); await check('shares');
  await visit('/docs/'); await shows('contracts', 'inbox', 'kept.txt', 'own.txt');
  await offers('Upload', 'New folder', 'Grid', 'More');
  // An entry can have rules of its own.
  for (const [name, ...wanted] of [
    ['own.txt', 'Download', 'Copy', 'Move', 'Rename', 'Delete'], ['kept.txt', 'Download', 'Copy'], ['contracts', 'Download', 'Copy'], ['inbox', 'Download', 'Copy'],
  ]) {
    await select(name); await offers('Clear selection', ...wanted);
    await clear();
  }
  await select('own.txt', 'kept.txt'); await offers('Clear selection', 'Download', 'Copy'); await check('few rights'); await clear();
  // Neither keys nor the mouse do what the buttons don't offer.
  await page.focus('.scroller'); await press('Home', 'ArrowDown', 'ArrowDown', 'Delete'); await says('you may not do this');
  assert.equal(await page.$('dialog[open]'), null);
  await press('F2'); assert.equal(await page.$('dialog[open]'), null);
  await drag('kept.txt', 'inbox'); await says('you may not do this');
  assert.equal(await content('/docs/kept.txt'), 'kept');

  await visit('/docs/contracts/'); await shows('contract.txt'); await offers('Grid', 'More');
  await visit('/docs/inbox/'); await shows('letter.txt'); await offers('Upload', 'New folder', 'Grid', 'More');
  await select('letter.txt'); await offers('Clear selection', 'Download', 'Copy'); await clear();

  // A copy of what one may only read, to where one may write.
  await visit('/photos/'); await shows('trip', 'one.txt'); await offers('Grid', 'More'); await check('only to read');
  await select('trip', 'one.txt'); await button('Copy', '.chosen'); await dialog();
  await says('You can’t add anything to this folder.'); await check('no place for a copy');
  assert.equal(await page.$eval('dialog .primary', (element) => element.disabled), true);
  await button('Up', 'dialog'); await button('docs', 'dialog'); await says('contracts');
  await until('the button', () => page.$eval('dialog .primary', (element) => !element.disabled));
  await button('Copy here'); await noDialog(); await says('Copied 2 items');
  assert.equal(await content('/docs/trip/two.txt'), '2');
  assert.deepEqual([(await request('DELETE', '/docs/kept.txt')).status, (await request('PUT', '/photos/new.txt', {}, 'x')).status], [403, 403]);

  // The archive has what one may read, and names nothing else.
  const { text } = await request('GET', '/docs/?zip');
  assert.equal(text.includes('own.txt'), true);
  assert.equal(/plan|secret/.test(text), false);

  for (const path of ['/private/', '/docs/secret/']) { await page.goto(url + path); await says('There is nothing here'); }
  await check('hidden');
};
