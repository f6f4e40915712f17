// Opens the status page of an operation in a browser, and writes what it has seen as JSON. The
// arguments are the module puppeteer-core, the browser's program, and a task in JSON:
//   url      the page, with user name and password
//   dir      a directory for the browser's profile
//   scripts  whether the browser runs scripts
//   press    how to press the stop button: "click" or "keyboard". With "", it is not pressed;
//            then url is the list, and the program follows the list first
//   picture  a file for a picture of the page half way, or ""
import { setTimeout as pause } from 'node:timers/promises';

const [module, executablePath, task] = process.argv.slice(2);
const { default: puppeteer } = await import(module);
const { url, dir, scripts, press, picture } = JSON.parse(task);

// How often to read the page, and for how long at most, in milliseconds.
const look = 50, patience = 60000;
setTimeout(() => { console.error('the page took too long'); process.exit(1); }, 1.5 * patience).unref();

const browser = await puppeteer.launch({
  executablePath, userDataDir: dir,
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-proxy-server'],
});
const page = await browser.newPage();
const seen = { complaints: [], loads: 0, streams: 0, running: [] };
page.on('console', (message) => seen.complaints.push(`${message.type()}: ${message.text()}`));
page.on('pageerror', (error) => seen.complaints.push(`exception: ${error.message}`));
page.on('response', (answer) => {
  if (answer.status() >= 400) seen.complaints.push(`${answer.status()} ${answer.url()}`);
  if (answer.headers()['content-type'] === 'text/event-stream') seen.streams++;
});
page.on('load', () => seen.loads++);
await page.setJavaScriptEnabled(scripts);
await page.setViewport({ width: 900, height: 420 });

// read returns the current content of the page.
const read = () => page.evaluate(() => {
  const text = (element) => element.innerText.trim();
  const bar = document.querySelector('progress');
  return {
    title: document.title,
    heading: text(document.querySelector('h1')),
    bar: bar?.hasAttribute('value') ? bar.value / bar.max : null,
    terms: Object.fromEntries([...document.querySelectorAll('dt')].map((term) => [text(term), text(term.nextElementSibling)])),
    failed: [...document.querySelectorAll('li')].map(text),
    rows: [...document.querySelectorAll('tbody tr')].map(text),
    button: document.querySelector('button')?.innerText ?? '',
  };
}).catch((error) => { // the page has just gone: another comes
  if (!/context|detached|null/i.test(error.message)) throw error;
});

// until reads the page repeatedly until it is as expected.
const until = async (wanted) => {
  for (const end = Date.now() + patience; Date.now() < end; await pause(look)) {
    const now = await read();
    if (now && wanted(now)) return now;
  }
  throw new Error(`after ${patience} ms the page still is ${JSON.stringify(await read())}`);
};

// widths returns the width of the content on a telephone and in a window.
const widths = async () => {
  const found = {};
  for (const width of [390, 900]) {
    await page.setViewport({ width, height: 420 });
    found[width] = await page.evaluate(() => document.documentElement.scrollWidth);
  }
  return found;
};

// colours returns the colours of text and background in the light and dark colour schemes.
const colours = async () => {
  const found = {};
  for (const value of ['dark', 'light']) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value }]);
    found[value] = await page.evaluate(() => {
      const { color, backgroundColor } = getComputedStyle(document.body);
      return [color, backgroundColor];
    });
  }
  return found;
};

// follow records what the page of a running operation shows, until its bar has moved twice.
const follow = async () => {
  await until(({ bar }) => bar !== null);
  await page.evaluate(() => { document.querySelector('progress').marked = true; });
  await until((now) => {
    if (now.bar !== seen.running.at(-1)?.bar) seen.running.push(now);
    return seen.running.length > 2;
  });
  seen.loadsRunning = seen.loads;
  seen.streamsRunning = seen.streams;
  seen.sameBar = await page.evaluate(() => document.querySelector('progress').marked === true);
  seen.nodes = [];
  const collect = ({ role, name, children = [] }) => { seen.nodes.push(`${role} ${name}`); children.forEach(collect); };
  collect(await page.accessibility.snapshot());
  seen.widths = await widths();
  seen.colours = await colours();
  if (picture) {
    await until(({ bar }) => bar > 0.45);
    await page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'reduce' }]);
    await page.screenshot({ path: picture });
  }
};

// followList records two different states of the list, and opens the page of its first operation.
const followList = async () => {
  await until(({ rows: [row] }) => {
    if (row && row !== seen.running.at(-1)?.rows[0]) seen.running.push({ rows: [row] });
    return seen.running.length > 1;
  });
  seen.loadsRunning = seen.loads;
  await Promise.all([page.waitForNavigation(), page.click('tbody a')]);
};

try {
  await page.goto(url, { waitUntil: 'load' });
  await (press ? follow() : followList());
  if (press === 'click') await page.click('button');
  if (press === 'keyboard') {
    await page.keyboard.press('Tab');
    seen.focus = await page.evaluate(() => document.activeElement.innerText);
    await page.keyboard.press('Enter');
  }
  seen.ended = await until((now) => now.terms.Ended);
  await Promise.all([page.waitForNavigation(), page.click('footer a')]);
  seen.list = await read();
  seen.listWidths = await widths();
  await Promise.all([page.waitForNavigation(), page.click('tbody a')]);
  await Promise.all([page.waitForNavigation(), page.click('button')]);
  seen.forgotten = await read();
} catch (error) {
  console.error(seen.complaints.join('\n'));
  throw error;
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));
