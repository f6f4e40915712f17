// The steps of the lab with the fetch of Firefox. The arguments are the module puppeteer-core, the
// browser's program and a directory for its profile, and then those of each program.
import { readFile } from 'node:fs/promises';

const [module, executablePath, userDataDir, base, timeout, ask, ...names] = process.argv.slice(2);
const { default: puppeteer } = await import(module);
const steps = await readFile(new URL('steps.mjs', import.meta.url), 'utf8');

const browser = await puppeteer.launch({ browser: 'firefox', executablePath, userDataDir, protocolTimeout: 300000 });
try {
  const page = await browser.newPage();
  // A page of davd's origin without a policy of its own, because Firefox can't be told to allow
  // requests to other origins.
  await page.goto(base + '/missing');
  const call = `run(${JSON.stringify(base)}, ${Number(timeout)}, ${JSON.stringify(ask)}, ${JSON.stringify(names)})`;
  console.log((await page.evaluate(`(() => { ${steps.replaceAll('export ', '')}; return ${call}; })()`)).join('\n'));
} finally {
  await browser.close();
}
