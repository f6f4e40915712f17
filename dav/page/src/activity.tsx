// The panel of uploads and long operations.
import { signal } from '@preact/signals';
import { useLayoutEffect } from 'preact/hooks';
import { decoded, label, segmentsOf } from './dav';
import { kindOf } from './files';
import { keepFocus } from './focus';
import { Icon } from './icons';
import { discard, interrupted } from './interrupted';
import { dismiss, operations, stop, type Status } from './operations';
import { operationsPath } from './state';
import { percent, size, text } from './text';
import { busy, clearDone, paused, resume, retry, setPaused, tally, uploads, type Upload } from './uploads';

const open = signal(true);

const nameOf = (path: string): string => label(decoded(segmentsOf(path).at(-1) ?? '')) || text.home;

const outcome = (s: Status): string => {
  if (s.state === 'stopped') return text.stopped(s);
  if (s.state === 'interrupted') return text.interrupted;
  if (s.failuresTotal) return text.failures(s.failuresTotal);
  if (s.status && s.status >= 400) return text.failedStatus(s.status);
  return text.done;
};

const Operation = ({ s }: { s: Status }) => {
  const { done, total, totalFinal, bytes, totalBytes, current } = s.progress;
  const running = s.state === 'running';
  const part = totalFinal && total ? totalBytes ? bytes / totalBytes : done / total : null;
  const whole = s.state === 'finished' && !s.failuresTotal && (s.status ?? 200) < 400;
  const verb = (whole ? text.doneVerbs : text.verbs)[s.method] ?? s.method;
  return (
    <li class="job">
      <div class="title"><strong>{verb} <bdi>{nameOf(s.source)}</bdi>{s.destination && <>{text.to('')}<bdi>{nameOf(s.destination.replace(/[^/]+\/?$/, ''))}</bdi></>}</strong>
        {running && part !== null && <span class="percent">{percent(part)}</span>}</div>
      {running
        ? <>
          {part === null ? <progress aria-label={verb} /> : <progress aria-label={verb} value={part} max={1} />}
          <div class="facts"><span>{text.members(done, total)}</span>{s.rate.bytes > 0 && <span>{text.rate(s.rate.bytes)}</span>}{!totalFinal && !s.stopping && <span>{text.counting}</span>}{s.estimate !== null && !s.stopping && <span>{text.left(s.estimate)}</span>}</div>
          {current && <div class="current"><bdi>{nameOf(current)}</bdi></div>}
        </>
        : <div class={`outcome state ${whole ? 'good' : s.state === 'stopped' ? 'mixed' : 'bad'}`}>{outcome(s)}</div>}
      {s.failures.length > 0 && <ul class="failures">{s.failures.map((f) => <li key={f.href}><bdi>{nameOf(f.href)}</bdi>: {text.failedStatus(f.status)}</li>)}</ul>}
      {/* With the key, the buttons stay the same ones, and keep the focus. */}
      <div key="buttons" class="buttons">
        <a href={operationsPath + s.id}>{text.details}</a>
        {running
          ? <button type="button" aria-disabled={s.stopping} onClick={() => { if (!s.stopping) void stop(s); }}>{s.stopping ? text.stopping : s.rollsBack ? text.stopRollBack : text.stop}</button>
          : <button type="button" onClick={() => dismiss(s.id)}>{text.forget}</button>}
      </div>
    </li>
  );
};

const File = ({ u }: { u: Upload }) => {
  const state = u.state.value;
  return (
    <li class="upload">
      <span class={kindOf({ name: u.name, folder: false })}><Icon name={kindOf({ name: u.name, folder: false })} /></span>
      <span class="what"><bdi>{label(u.name)}</bdi></span>
      {state === 'sending' && u.file.size > 1e6 ? <progress aria-label={label(u.name)} value={u.sent.value} max={u.file.size} />
        : <span class={state === 'failed' ? 'bad' : 'muted'} title={state === 'failed' ? u.error : undefined}>{state === 'failed' ? u.error : state === 'done' ? text.done : state === 'skipped' ? text.skipped : state === 'waiting' ? text.waiting : size(u.file.size)}</span>}
      {state === 'failed' && <button type="button" class="icon" aria-label={text.retry} title={text.retry} onClick={() => retry(u)}><Icon name="retry" /></button>}
    </li>
  );
};

// maxFiles is how many uploads the panel names: failed ones first, then those that are sent.
const maxFiles = 8;

const Uploads = () => {
  const t = tally.value, now = busy.value;
  if (!t.total) return null;
  const all = uploads.value;
  const named: Upload[] = [];
  for (const wanted of ['failed', 'sending', 'waiting']) {
    for (let i = 0; i < all.length && named.length < maxFiles; i++) if (all[i]!.state.peek() === wanted) named.push(all[i]!);
  }
  const left = t.rate > 0 ? (t.bytes - t.sent) / t.rate : 0;
  return (
    <li class="job">
      <div class="title"><strong>{now ? text.uploads(t.done + t.failed, t.total) : text.uploaded(t.total, t.failed)}</strong>{now && t.bytes > 0 && <span class="percent">{percent(t.sent / t.bytes)}</span>}</div>
      {now && <progress aria-label={text.upload} value={t.bytes ? t.sent : t.done} max={t.bytes || t.total} />}
      {now && <div class="facts"><span>{text.ofSize(t.sent, t.bytes)}</span>{paused.value ? <span>{text.paused}</span> : <>{t.rate > 0 && <span>{text.rate(t.rate)}</span>}{left >= 1 && <span>{text.left(left)}</span>}</>}</div>}
      <ul class="uploads">{named.map((u) => <File key={u.id} u={u} />)}</ul>
      <div class="buttons">{now ? <button type="button" onClick={() => setPaused(!paused.value)}><Icon name={paused.value ? 'play' : 'pause'} />{paused.value ? text.resume : text.pause}</button>
        : <button type="button" onClick={clearDone}>{text.clearDone}</button>}</div>
    </li>
  );
};

// Uploads of earlier pages.
const InterruptedUploads = () => <>{interrupted.value.map((each) => (
  <li class="job" key={each.at}>
    <div class="title"><strong>{text.interruptedUpload} <bdi>{label(each.name)}</bdi></strong></div>
    <div class="facts"><span>{text.ofSize(each.sent, each.size)}</span>{!each.handle && <span>{text.chooseAgain}</span>}</div>
    <div class="buttons"><button type="button" onClick={() => void resume(each)}>{text.continueUpload}</button><button type="button" onClick={() => void discard(each)}>{text.discardUpload}</button></div>
  </li>
))}</>;

// spoken is what a screen reader tells about the running operations. It changes rarely.
const spoken = (): string => operations.value.map((s) => {
  const { done, total, totalFinal } = s.progress;
  if (s.state !== 'running') return `${(s.state === 'finished' ? text.doneVerbs : text.verbs)[s.method] ?? s.method} ${nameOf(s.source)}: ${outcome(s)}`;
  return `${text.verbs[s.method] ?? s.method} ${nameOf(s.source)}${totalFinal && total ? ` ${percent(Math.floor(done / total * 4) / 4)}` : ''}`;
}).join('. ');

export const Activity = () => {
  const any = operations.value.length > 0 || tally.value.total > 0 || interrupted.value.length > 0;
  useLayoutEffect(keepFocus, [operations.value.length, tally.value.total, interrupted.value.length]);
  return (
    <>
      <div class="hidden" aria-live="polite">{spoken()}</div>
      {any && <section class={`activity${open.value ? '' : ' closed'}`} aria-label={text.activity}>
        <h2><button type="button" aria-expanded={open.value} onClick={() => { open.value = !open.value; }}>{text.activity}<Icon name={open.value ? 'down' : 'up'} /></button></h2>
        {open.value && <ul class="jobs"><Uploads /><InterruptedUploads />{[...operations.value].reverse().map((s) => <Operation key={s.id} s={s} />)}</ul>}
      </section>}
    </>
  );
};
