// The common code of the lab's JavaScript programs: the steps, and the lines for their results.
export const steps = {
  COPY: ['COPY', '/src', { Destination: '/copied' }],
  GET: ['GET', '/src/file%20007.txt', {}],
  PROPFIND: ['PROPFIND', '/list', { Depth: '1' }],
  MOVE: ['MOVE', '/moving', { Destination: '/other/moved' }],
  DELETE: ['DELETE', '/deleting', {}],
};

// run returns a line for each step: its name, the status and the result.
export async function run(base, timeout, ask, names) {
  const lines = [];
  for (const name of names) {
    const [method, path, headers] = steps[name];
    const options = { method, headers: ask ? { ...headers, Prefer: 'processing' } : headers };
    if (timeout > 0) options.signal = AbortSignal.timeout(timeout * 1000);
    try {
      const response = await fetch(base + path, options);
      const body = await response.text();
      lines.push(`${name} ${response.status} ${told(name, body)}`.trimEnd());
    } catch (error) {
      lines.push(`${name} ${error.name} ${error.cause?.code ?? error.message}`);
    }
  }
  return lines;
}

function told(name, body) {
  if (name === 'GET') return body.trim();
  if (name === 'PROPFIND') return (body.match(/<(?:\w+:)?response[ >]/g) ?? []).length;
  return '';
}
