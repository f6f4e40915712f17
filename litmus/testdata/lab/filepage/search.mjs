import assert from 'node:assert/strict';
import { button, check, has, lacks, names, page, press, says, until, visit } from './driver.mjs';

const found = () => page.$eval('.searching span', (span) => Number(/([\d,]+) results?/.exec(span.innerText)[1].replace(',', '')));
const search = async (term) => { await page.$eval('#filter', (input) => input.select()); await page.type('#filter', term); await press('Enter'); };

// Results appear while the search runs, and stay when a person stops it.
export default async () => {
  await visit('/'); await has('first.txt');
  await search('report'); await says('Searching for “report”');
  await until('the first results', async () => await found() > 0);
  assert.ok((await names()).every((name) => name.startsWith('report')));
  await check('a running search');
  await button('Stop search'); await says('for “report”'); await until('the end', async () => !(await page.$eval('.searching', (all) => all.innerText)).includes('Searching'));
  const results = await found();
  assert.ok(results > 0 && results < 3600, `${results} results of a search that was stopped`);
  assert.ok((await names()).length > 0, 'the results are lost');
  await check('a stopped search');
  // Nothing arrives after the end: the order is new, the results are the same.
  await button('More'); await button('Sort by: Size'); await button('More'); await button('Sort by: Name');
  assert.equal(await found(), results);
  await button('Close'); await has('first.txt');
  // Escape ends a search that runs, and another one replaces it.
  await search('report'); await says('Searching for “report”'); await press('Escape'); await has('first.txt'); await lacks('report of the year 2000, in more detail.txt');
  await search('report'); await says('Searching for “report”'); await search('nothing like this'); await says('Searching for “nothing like this”');
  await button('Stop search'); await says('0 results for “nothing like this”'); await says('Nothing found for “nothing like this”'); await check('no results');
  await button('Close'); await has('first.txt');
};
