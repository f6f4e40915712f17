// The steps of the lab with the npm module webdav, whose path is the first argument.
const [module, base, , ask, ...names] = process.argv.slice(2);
const { createClient } = await import(module);
const client = createClient(base, { headers: ask ? { Prefer: 'processing' } : {} });

const steps = {
  COPY: async () => { await client.copyFile('/src', '/copied'); return 201; },
  GET: async () => '200 ' + (await client.getFileContents('/src/file 007.txt', { format: 'text' })).trim(),
  // The module omits the collection itself.
  PROPFIND: async () => '207 ' + (1 + (await client.getDirectoryContents('/list')).length),
  MOVE: async () => { await client.moveFile('/moving', '/other/moved'); return 201; },
  DELETE: async () => { await client.deleteFile('/deleting'); return 204; },
};

for (const name of names) {
  try {
    console.log(name, await steps[name]());
  } catch (error) {
    console.log(name, error.name, error.cause?.code ?? error.message);
  }
}
