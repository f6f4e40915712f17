// The steps of the lab with the fetch of a browser. The arguments are the module puppeteer-core,
// the browser ("chrome" or "firefox"), its program and a directory for its profile, and then those
// of each program.
import { readFile } from 'node:fs/promises';

const [module, browser, executablePath, userDataDir, base, timeout, ask, ...names] = process.argv.slice(2);
const { default: puppeteer } = await import(module);
const steps = await readFile(new URL('steps.mjs', import.meta.url), 'utf8');
const args = { chrome: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-proxy-server'], firefox: [] };

// How long a step may take, in milliseconds.
const patience = 300000;

const opened = await puppeteer.launch({ browser, executablePath, userDataDir, args: args[browser], protocolTimeout: patience });
try {
  const page = await opened.newPage();
  // This page has davd's origin, because davd refuses requests of other origins, and no policy
  // that forbids requests.
  await page.goto(base + '/missing');
  const call = `run(${JSON.stringify(base)}, ${Number(timeout)}, ${JSON.stringify(ask)}, ${JSON.stringify(names)})`;
  console.log((await page.evaluate(`(() => { ${steps.replaceAll('export ', '')}; return ${call}; })()`)).join('\n'));
} finally {
  await opened.close();
}
