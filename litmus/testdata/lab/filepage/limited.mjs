import assert from 'node:assert/strict';
import { choose, has, request, says, visit } from './driver.mjs';

// The proxy in front refuses requests of more than 1 MiB.
export default async () => {
  await visit('/');
  assert.equal((await request('PUT', '/refused.bin', {}, 'x'.repeat(2 << 20))).status, 413);
  await choose({ 'large.bin': 64 << 20 });
  await has('large.bin'); await says('Uploaded 1 file');
  assert.equal((await request('HEAD', '/large.bin')).headers['content-length'], String(64 << 20));
  assert.equal((await request('HEAD', '/refused.bin')).status, 404);
};
