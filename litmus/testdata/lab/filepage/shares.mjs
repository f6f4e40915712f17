import assert from 'node:assert/strict';
import { base, button, check, content, drag, has, lacks, noDialog, page, press, request, says, select, shows, url, user, visit, until } from './driver.mjs';

const unoffered = async (...titles) => {
  const offered = await page.$$eval('.tools :is(button, summary)', (all) => all.map((each) => each.title));
  for (const title of titles) assert.equal(offered.includes(title), false, `${title} is offered`);
};

export default async () => {
  await visit(user ? '/' : '/music/');
  if (user) {
    await shows('films', 'music'); await check('shares');
    await unoffered('Upload', 'New folder');
    await select('music'); await until('the buttons', () => page.$('.chosen button[title=Download]')); await unoffered('Delete', 'Rename', 'Move');
  }
  // Moves and copies to another share.
  const to = async (verb, folder, ...names) => {
    await visit('/music/'); await select(...names); await button(verb, '.chosen'); await button('Up', 'dialog'); await button(folder, 'dialog'); await says(`${verb} here`);
    await until('the folder', () => page.$eval('dialog .at', (at, folder) => at.innerText.includes(folder), folder));
    await button(`${verb} here`);
  };
  if (user) {
    await to('Copy', 'films', 'song.txt'); await says('“song.txt” exists already'); await button('Keep both'); await noDialog(); await says('Copied 1 item');
    assert.equal(await content('/films/song (2).txt'), 'la');
    assert.equal(await content('/films/song.txt'), 'another song');
    await to('Move', 'films', 'albums', 'song.txt'); await says('“song.txt” exists already'); await button('Replace'); await noDialog(); await says('Moved 2 items');
    await lacks('albums');
    await visit('/films/'); await shows('albums', 'film.txt', 'song (2).txt', 'song.txt');
    assert.equal(await content('/films/song.txt'), 'la');
    assert.equal(await content('/films/albums/two/track.txt'), '2');
    assert.equal(await content('/music/albums/one/track.txt'), '404');
  } else { // without users, nothing shows the shares above
    await page.goto(`${url}/`).catch(() => {});
    await visit('/music/');
    assert.equal((await request('COPY', '/music/albums', { Destination: `${new URL(page.url()).origin}${base}/films/albums` })).status, 201);
    await visit('/films/'); await has('albums');
  }
  // A row dragged to a folder above it.
  await visit('/films/albums/'); await has('one');
  await drag('one', 'films'); await says('Moved 1 item'); await lacks('one');
  assert.equal(await content('/films/one/track.txt'), '1');
  await press('Escape');
};
