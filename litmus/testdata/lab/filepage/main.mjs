// Uses the file browser in a browser, as a person does. driver.mjs describes the arguments. It fails
// with a message if something is not as it should be.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { browser, complaints, dir, page, part } from './driver.mjs';

const { default: run } = await import(`./${part}.mjs`);
try {
  await run();
  assert.deepEqual(complaints, []);
} catch (error) {
  console.error(complaints.join('\n'));
  await page.screenshot({ path: join(dir, 'failed.png') }).catch(() => {});
  throw error;
} finally {
  await browser.close();
}