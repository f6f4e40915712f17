// The steps of the lab with the fetch of Node.
import { run } from './steps.mjs';

const [base, timeout, ask, ...names] = process.argv.slice(2);
console.log((await run(base, Number(timeout), ask, names)).join('\n'));
