// Takes pictures of the screens of the file browser, in light and dark. The arguments are the module
// puppeteer-core, the browser's program, and a task in JSON; see picturesTask in pictures_test.go.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const [module, executablePath, task] = process.argv.slice(2);
const { default: puppeteer } = await import(module);
const { url, slow, large, dir, pictures, only } = JSON.parse(task);

setTimeout(() => { console.error('the pictures took too long'); process.exit(1); }, 560000).unref();

const browser = await puppeteer.launch({
  executablePath, userDataDir: join(dir, 'profile'),
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-proxy-server', '--lang=en-GB'],
});

const until = async (page, what, look) => {
  for (const end = Date.now() + 30000; Date.now() < end; await pause(50)) {
    const found = await page.evaluate(look).catch(() => null);
    if (found) return;
  }
  throw new Error(`${what} did not come: ${await page.evaluate(() => document.body.innerText.slice(0, 500))}`);
};
const settled = (page) => until(page, 'the list', () => document.querySelector('.scroller[aria-busy=false]'));
const go = async (page, address) => { await page.goto(address, { waitUntil: 'load' }); await settled(page); };
const press = (page, title, inside = 'body') => page.evaluate((title, inside) => {
  const found = [...document.querySelectorAll(`${inside} :is(button, summary, a)`)].find((each) => [each.title, each.innerText.trim(), each.getAttribute('aria-label')].includes(title));
  if (!found) throw new Error(`no button ${title}`);
  found.click();
}, title, inside);
const select = (page, ...names) => page.evaluate((names) => {
  for (const each of document.querySelectorAll('.row:not(.heading), .tile')) if (names.includes(each.querySelector('a').innerText)) each.querySelector('input').click();
}, names);
const upload = (page, ...files) => page.evaluate((files) => {
  const list = new DataTransfer();
  for (const [name, size] of files) list.items.add(new File([new Uint8Array(size)], name));
  const input = document.getElementById('upload-files');
  input.files = list.files;
  input.dispatchEvent(new Event('change', { bubbles: true }));
}, files);
const dialog = (page) => until(page, 'a dialog', () => document.querySelector('dialog[open]'));
const view = (page, kind) => page.evaluateOnNewDocument((kind) => localStorage.setItem('davd.view', JSON.stringify(kind)), kind);
const copying = async (page) => {
  await go(page, slow);
  await select(page, 'Photo archive');
  await press(page, 'Copy', '.chosen'); await dialog(page);
  await until(page, 'the folders', () => [...document.querySelectorAll('dialog .choose button')].some((each) => each.innerText === 'Backup'));
  await press(page, 'Backup', 'dialog');
  await until(page, 'the folder', () => document.querySelector('dialog .at strong').innerText === 'Backup');
  await press(page, 'Copy here');
  await until(page, 'the bar', () => /[1-9]\d?%/.test(document.querySelector('.activity .percent')?.innerText ?? ''));
};
const stopped = async (page) => {
  await press(page, 'Stop and roll back', '.activity');
  await until(page, 'the end', () => document.querySelector('.activity')?.innerText.includes('Nothing changed'));
};

// A browser that answers for passwords reads what is sent, which takes long: the server has no users.
const uploading = (folder) => async (page) => {
  await go(page, slow + folder);
  await upload(page, ['Site survey north.pdf', 6e6], ['Drone flight 14.mp4', 60e6], ['Drone flight 15.mp4', 55e6], ['Measurements.xlsx', 90e3], ['Harbour model.step', 21e6], ['Tide tables 1953.csv', 4e3]);
  await until(page, 'progress', () => /[1-9]%/.test(document.querySelector('.activity .percent')?.innerText ?? ''));
};
const paused = (page) => press(page, 'Pause', '.activity');
const conflict = async (page) => { await go(page, url); await upload(page, ['notes.txt', 900], ['README.md', 2400]); await dialog(page); await pause(400); };
const search = async (page) => { await go(page, url); await page.type('#filter', 'pdf'); await page.keyboard.press('Enter'); await until(page, 'the end', () => /for “pdf”/.test(document.querySelector('.searching')?.innerText)); await pause(100); };
const entryMenu = async (page) => { await go(page, url); await page.click('#row-8 .menu-of button'); await pause(200); };

// A screen has a width, whether scripts and users are on, and a function that brings it about.
const phone = { width: 320, height: 640 }, desk = { width: 1280, height: 800 }, tablet = { width: 768, height: 900 };
const screens = {
  'list': { show: async (page) => { await go(page, url); } },
  'list-320': { size: phone, show: (page) => go(page, url) },
  'list-768': { size: tablet, show: (page) => go(page, url) },
  'selected': { show: async (page) => { await go(page, url); await select(page, 'Annual report 2025.pdf', 'Budget 2026.xlsx'); } },
  'selected-320': { size: phone, show: async (page) => { await go(page, url); await select(page, 'Annual report 2025.pdf', 'Budget 2026.xlsx'); } },
  'menu-320': { size: phone, show: async (page) => { await go(page, url); await press(page, 'More'); } },
  'menu': { show: async (page) => { await go(page, url); await press(page, 'More'); } },
  'grid': { show: async (page) => { await view(page, 'grid'); await go(page, url + '/Photos/Iceland%202026/'); await pause(1500); } },
  'grid-320': { size: phone, show: async (page) => { await view(page, 'grid'); await go(page, url + '/Photos/Iceland%202026/'); await pause(1500); } },
  'grid-mixed': { show: async (page) => { await view(page, 'grid'); await go(page, url); await pause(500); } },
  'deep-320': { size: phone, show: (page) => go(page, url + '/Projects/2026/Harbour%20bridge/Drawings%20and%20calculations/Structural%20steel/Revision%20C/') },
  'deep': { show: (page) => go(page, url + '/Projects/2026/Harbour%20bridge/Drawings%20and%20calculations/Structural%20steel/Revision%20C/') },
  'viewer': { show: async (page) => { await go(page, url + '/Photos/Iceland%202026/'); await page.evaluate(() => document.querySelectorAll('.row:not(.heading) a')[2].click()); await until(page, 'the viewer', () => document.querySelector('.pswp img')); await pause(1000); } },
  'text': { show: async (page) => { await go(page, url); await page.evaluate(() => [...document.querySelectorAll('.row a')].find((a) => a.innerText === 'notes.txt').click()); await dialog(page); await pause(300); } },
  'search': { show: search },
  'search-320': { size: phone, show: search },
  'filter-320': { size: phone, show: async (page) => { await go(page, url); await page.type('#filter', 'rep'); } },
  'nothing': { show: async (page) => { await go(page, url); await page.type('#filter', 'invoice 7'); } },
  'entry-menu': { show: entryMenu },
  'entry-menu-320': { size: phone, show: async (page) => { await go(page, url); await page.click('#row-4 .menu-of button'); await pause(200); } },
  'copy': { show: copying, end: stopped },
  'copy-320': { size: phone, show: copying, end: stopped },
  'stopped-320': { size: phone, show: async (page) => { await copying(page); await stopped(page); } },
  'stopped': { show: async (page) => { await copying(page); await stopped(page); } },
  'upload': { anonymous: true, show: uploading('/'), end: paused },
  'upload-320': { size: phone, anonymous: true, show: uploading('/Contracts/'), end: paused },
  'delete': { show: async (page) => { await go(page, url); await select(page, 'Website', 'Contracts', 'notes.txt'); await press(page, 'Delete', '.chosen'); await dialog(page); } },
  'delete-320': { size: phone, show: async (page) => { await go(page, url); await select(page, 'Website'); await press(page, 'Delete', '.chosen'); await dialog(page); } },
  'choose': { show: async (page) => { await go(page, url); await select(page, 'notes.txt'); await press(page, 'Move', '.chosen'); await dialog(page); await pause(400); } },
  'conflict': { show: conflict },
  'conflict-320': { size: phone, show: conflict },
  'new-folder': { show: async (page) => { await go(page, url); await press(page, 'New folder'); await dialog(page); } },
  'mount': { show: async (page) => { await go(page, url + '/Projects/2026/Harbour%20bridge/'); await press(page, 'More'); await press(page, 'Connect to this folder'); await dialog(page); } },
  'mount-320': { size: phone, show: async (page) => { await go(page, url + '/Projects/2026/Harbour%20bridge/'); await press(page, 'More'); await press(page, 'Connect to this folder'); await dialog(page); } },
  'status': { show: async (page) => { await copying(page); await press(page, 'Details', '.activity'); await until(page, 'the page', () => /[1-9]/.test(document.querySelector('.far')?.innerText)); }, end: async (page) => { await page.click('footer button'); await pause(1000); } },
  'status-320': { size: phone, show: async (page) => { await copying(page); await press(page, 'Details', '.activity'); await until(page, 'the page', () => /[1-9]/.test(document.querySelector('.far')?.innerText)); }, end: async (page) => { await page.click('footer button'); await pause(1000); } },
  'operations': { show: (page) => page.goto(slow + '/.davd-operations/') },
  'operations-320': { size: phone, show: (page) => page.goto(slow + '/.davd-operations/') },
  '404': { show: (page) => page.goto(url + '/Contracts/Old%20lease.pdf') },
  '404-320': { size: phone, show: (page) => page.goto(url + '/Contracts/Old%20lease.pdf') },
  '403': { show: (page) => page.goto(url + '/Payroll/') },
  '401': { anonymous: true, show: async (page) => page.setContent(await (await fetch(url, { headers: { Accept: 'text/html' } })).text()) },
  'no-script': { scripts: false, show: (page) => page.goto(url) },
  'no-script-320': { size: phone, scripts: false, show: (page) => page.goto(url) },
  'plain': { show: (page) => page.goto(url + '/?plain') },
  'plain-320': { size: phone, show: (page) => page.goto(url + '/?plain') },
  'empty-320': { size: phone, show: (page) => go(page, url + '/Inbox/') },
  'empty': { show: (page) => go(page, url + '/Inbox/') },
  'large': { show: async (page) => { await go(page, large + '/Sensor%20readings/'); await page.evaluate(() => { document.querySelector('.scroller').scrollTop = 1e6; }); await pause(500); } },
};

for (const [name, { size = desk, scripts = true, anonymous, show, end }] of Object.entries(screens)) {
  if (only && !new RegExp(`^(${only})$`).test(name)) continue;
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  try {
    page.on('dialog', (question) => question.accept());
    if (!anonymous) await page.authenticate({ username: 'ann', password: 'secret' });
    await page.setJavaScriptEnabled(scripts);
    await page.setViewport({ ...size, deviceScaleFactor: size === phone ? 2 : 1 });
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'light' }]);
    await show(page);
    for (const value of ['light', 'dark']) {
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value }]);
      await pause(300);
      writeFileSync(join(pictures, `${name}-${value}.png`), await page.screenshot());
    }
    await end?.(page);
  } catch (error) {
    console.error(`${name}: ${error.message}`);
    process.exitCode = 1;
  }
  await context.close();
}
await browser.close();
process.exit();
