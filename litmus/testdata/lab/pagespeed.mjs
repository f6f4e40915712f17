// Measures the file browser in a browser. The arguments are the module puppeteer-core, the browser's
// program, and a task in JSON:
//   url    the server, whose collection /many/ has members
//   many   how many members that are
//   dir    a directory for the browser's profile
//   large  the name of a file to upload, or ""
//   four   the names of four files to upload, which have the length of the large one together
//   small  the names of many small files to upload
// It prints the figures in JSON. Times are in milliseconds.
import assert from 'node:assert/strict';
import { join } from 'node:path';

const [module, executablePath, task] = process.argv.slice(2);
const { default: puppeteer } = await import(module);
const { url, many, dir, large, four, small } = JSON.parse(task);

const browser = await puppeteer.launch({ executablePath, userDataDir: join(dir, 'profile'), args: ['--no-sandbox', '--disable-gpu', '--no-proxy-server'], protocolTimeout: 120000 });

// marks records when the page shows something, by the clock that starts with the navigation.
const marks = () => {
  window.marks = {};
  const mark = (name) => { window.marks[name] ??= performance.now(); };
  new MutationObserver(() => {
    if (!document.querySelector('.row:not(.heading)')) return;
    if (!window.marks.rows) requestAnimationFrame(() => setTimeout(() => mark('painted')));
    mark('rows');
    if (document.querySelector('.scroller[aria-busy=false]')) mark('whole');
  }).observe(document, { subtree: true, childList: true, attributes: true });
};

// tasksOf returns the tasks of the page's main thread, as { wall, cpu }. The browser's other tabs have
// processes of their own, so the first trace, which has the navigation, tells which process it is.
let renderer;
const tasksOf = (trace) => {
  const { traceEvents: events } = JSON.parse(Buffer.from(trace).toString());
  renderer ??= events.find(({ name, args }) => name === 'CommitLoad' && args.data.url.startsWith(url)).pid;
  const { tid } = events.find(({ name, pid, args }) => name === 'thread_name' && args.name === 'CrRendererMain' && pid === renderer);
  return events.filter((each) => each.ph === 'X' && /RunTask$/.test(each.name) && each.pid === renderer && each.tid === tid).map(({ dur = 0, tdur = 0 }) => ({ wall: dur / 1000, cpu: tdur / 1000 }));
};
const longest = (tasks, of) => Math.max(0, ...tasks.map((each) => each[of]));

const traced = async (page, use) => {
  await page.tracing.start({ categories: ['toplevel', 'devtools.timeline'] });
  await use();
  const tasks = tasksOf(await page.tracing.stop());
  return { wall: longest(tasks, 'wall'), cpu: longest(tasks, 'cpu') };
};

const open = async () => {
  const page = await browser.newPage();
  await page.setViewport({ width: 1280, height: 800 });
  await page.evaluateOnNewDocument(marks);
  return page;
};

const load = async (page) => {
  await page.goto(`${url}/many/`, { waitUntil: 'domcontentloaded' });
  await page.waitForFunction(() => window.marks.whole && window.marks.painted, { polling: 100, timeout: 60000 });
};

const list = async () => {
  // A browser that has just started is busy with itself. The times are those without a trace, which
  // costs time too. Nothing is in the browser's cache.
  const untraced = await open();
  await new Promise((resolve) => { setTimeout(resolve, 3000); });
  await load(untraced);
  const { painted, whole } = await untraced.evaluate(() => window.marks);
  await untraced.close();
  const page = await open();
  const loading = await traced(page, () => load(page));
  assert.equal(Number(await page.$eval('.scroller', (element) => element.getAttribute('aria-rowcount'))), many + 1);
  const scrolling = await traced(page, () => page.evaluate(async () => {
    const scroller = document.querySelector('.scroller');
    for (let frame = 0, end = performance.now() + 2000; performance.now() < end; frame++) {
      scroller.scrollTop += 200 + 40 * frame;
      await new Promise(requestAnimationFrame);
    }
  }));
  const session = await page.createCDPSession();
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  const elements = await page.evaluate(() => document.querySelectorAll('*').length);
  await page.close();
  return { rows: painted, whole, loading, scrolling, heap: usedSize, elements };
};

// upload returns how long the page takes from the choice of files until it says that all are there.
const upload = async (files) => {
  const page = await browser.newPage();
  page.on('dialog', (dialog) => dialog.accept());
  await page.goto(`${url}/`, { waitUntil: 'load' });
  const input = await page.waitForSelector('#upload-files');
  await page.evaluate(() => {
    window.marks = {};
    document.getElementById('upload-files').addEventListener('change', () => { window.marks.start = performance.now(); }, true);
    new MutationObserver(() => {
      const said = document.querySelector('.message')?.innerText ?? '';
      if (window.marks.start && /Uploaded|failed/.test(said)) { window.marks.said = said; window.marks.end ??= performance.now(); }
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  await input.uploadFile(...files);
  await page.waitForFunction(() => window.marks.end, { polling: 100, timeout: 110000 });
  const { start, end, said } = await page.evaluate(() => window.marks);
  if (!/^Uploaded/.test(said)) throw new Error(await page.evaluate(() => document.body.innerText));
  await page.close();
  return end - start;
};

// bare returns how long a script takes that does nothing but send a file in one request. That is the
// browser's own limit.
const bare = async (file) => {
  const page = await browser.newPage();
  await page.setBypassCSP(true); // the plain index may send nothing
  await page.goto(`${url}/?plain`, { waitUntil: 'load' });
  await page.evaluate(() => { document.body.append(Object.assign(document.createElement('input'), { type: 'file', id: 'file' })); });
  await (await page.$('#file')).uploadFile(file);
  const took = await page.evaluate(() => new Promise((resolve, reject) => {
    const start = performance.now(), request = new XMLHttpRequest();
    request.open('PUT', 'bare.bin');
    request.onload = () => { if (request.status === 201) resolve(performance.now() - start); else reject(new Error(request.status)); };
    request.onerror = () => reject(new Error('the connection was lost'));
    request.send(document.getElementById('file').files[0]);
  }));
  await page.close();
  return took;
};

try {
  const figures = {};
  if (many) figures.list = await list();
  if (large) { figures.bare = await bare(large); figures.large = await upload([large]); }
  if (four.length) figures.four = await upload(four);
  if (small.length) figures.small = await upload(small);
  console.log(JSON.stringify(figures));
} finally {
  await browser.close();
}
