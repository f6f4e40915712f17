// Which files the page can show. The viewers are loaded when they are needed.
import type { Entry } from './dav';
import { kindOf } from './files';
import { text } from './text';
import { message } from './state';

const viewable = new Set(['image', 'audio', 'video', 'pdf', 'text', 'code']);

export const canView = (e: Entry): boolean => viewable.has(kindOf(e));

export const openViewer = async (e: Entry): Promise<void> => {
  try {
    if (kindOf(e) === 'image') await (await import('./images')).show(e);
    else await (await import('./viewer')).show(e);
  } catch {
    message.value = text.cantShow;
  }
};
