// The viewer of audio, video, PDF and text. Nothing in a file runs: text is shown as text, and a
// PDF in the browser's own viewer.
import { useEffect, useState } from 'preact/hooks';
import * as actions from './actions';
import { href, label, type Entry } from './dav';
import { ask, Dialog } from './dialog';
import { kindOf } from './files';
import { text } from './text';

// maxText is how much of a text is shown, in bytes.
const maxText = 512 * 1024;

const Text = ({ e }: { e: Entry }) => {
  const [content, setContent] = useState<string | null>(null);
  useEffect(() => {
    fetch(href(e), { cache: 'no-cache', headers: e.size > maxText ? { Range: `bytes=0-${maxText - 1}` } : {} })
      .then(async (answer) => setContent(answer.ok ? await answer.text() : text.failedStatus(answer.status)), () => setContent(text.failedStatus(0)));
  }, []);
  return <>{e.size > maxText && <p class="muted">{text.viewCut}</p>}<pre class="content" tabIndex={0}>{content ?? text.loading(0)}</pre></>;
};

const Content = ({ e }: { e: Entry }) => {
  const [broken, setBroken] = useState(false);
  if (broken) return <p role="alert">{text.cantShow}</p>;
  switch (kindOf(e)) {
    case 'audio': return <audio controls autoplay src={href(e)} onError={() => setBroken(true)} />;
    case 'video': return <video controls autoplay src={href(e)} onError={() => setBroken(true)} />;
    case 'pdf': return <iframe title={label(e.name)} src={href(e)} />;
    default: return <Text e={e} />;
  }
};

export const show = (e: Entry): Promise<null> => ask<null>((answer) => (
  <Dialog title={<bdi>{label(e.name)}</bdi>} onClose={() => answer(null)} wide>
    <div class="viewer"><Content e={e} /></div>
    <div class="buttons"><button type="button" onClick={() => actions.download([e])}>{text.download}</button><button type="button" data-first={kindOf(e) === 'pdf' ? '' : undefined} onClick={() => answer(null)}>{text.close}</button></div>
  </Dialog>
));
