import assert from 'node:assert/strict';
import { button, check, content, lacks, newPage, page, says, select, show, until, url, visit } from './driver.mjs';

export default async () => {
  await visit('/'); await select('many'); await button('Copy', '.chosen'); await button('target', 'dialog'); await says('No folders here.'); await button('Copy here');
  await says('Copying many'); await until('a percentage', () => page.$('.job .percent')); await check('operation');
  for (const fact of ['.job progress[value]', '.job .current', '.job .facts']) await until(fact, () => page.$(fact));
  await until('the rate and the remaining time', () => page.$eval('.job .facts', (facts) => /\/s/.test(facts.innerText) && /left/.test(facts.innerText)));
  await until('what screen readers tell', () => page.$$eval('[aria-live=polite]', (all) => all.some((each) => each.textContent.startsWith('Copying many'))));
  const address = await page.$eval('.job a', (a) => a.href);
  await visit('/'); await says('Copying many'); // found again after a reload
  const first = page;
  await show(await newPage()); await visit('/target/'); await says('Copying many'); // and in another tab
  await page.goto(address); await says('running'); await until('the bar', () => page.$('progress[value]')); await check('status');
  await page.close();
  await show(first);
  await button('Stop and roll back'); await says('Stopped by you. Nothing changed.'); await check('stopped');
  await until('what screen readers tell', () => page.$$eval('[aria-live=polite]', (all) => all.some((each) => each.textContent.includes('Stopped by you. Nothing changed.'))));
  assert.equal(await content('/target/many/0.txt'), '404');
  await button('Dismiss');
  await page.goto(address); await says('Stopped by you. Nothing changed.'); await check('status of a stopped one');
  assert.doesNotMatch(await page.$eval('body', (body) => body.innerText), /403/);
  await visit('/'); await select('many'); await button('Delete'); await button('Delete', 'dialog'); await says('Deleting many'); await lacks('many'); await says('Done');
  await page.goto(`${url}/.davd-operations/`); await says('Stopped by you. Nothing changed.'); await check('operations');
  assert.doesNotMatch(await page.$eval('body', (body) => body.innerText), /403/);
  await page.goto(`${url}/nothing/here`); await says('There is nothing here'); await check('missing');
  await Promise.all([page.waitForNavigation(), page.click('a.button')]);
};
