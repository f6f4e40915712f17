// Writes the hashes of the sources beside the built files, so that a test can tell whether these are
// out of date.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const sources = ['package.json', 'package-lock.json', 'vite.config.ts', 'tsconfig.json', '../internal/browser/style.css', ...readdirSync('src').map((name) => `src/${name}`)].sort();
const hashes = Object.fromEntries(sources.map((name) => [name, createHash('sha256').update(readFileSync(name)).digest('hex')]));
writeFileSync('dist/sources.json', JSON.stringify(hashes, null, 1) + '\n');
