// All text that people read, ready for translation.

const number = new Intl.NumberFormat('en');
const counted = (n: number, one: string, many: string) => `${number.format(n)} ${n === 1 ? one : many}`;

// size returns a size in powers of 1000.
export const size = (bytes: number): string => {
  if (bytes < 1000) return `${bytes} B`;
  let value = bytes / 1000, unit = 0;
  for (; value >= 999.5 && unit < 5; unit++) value /= 1000;
  return `${value.toFixed(value < 9.95 ? 1 : 0)} ${'kMGTPE'[unit]}B`;
};

// duration returns a number of seconds for people.
export const duration = (seconds: number): string => {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  return `${Math.floor(Math.round(seconds / 60) / 60)} h ${Math.round(seconds / 60) % 60} min`;
};

// percent returns a part of 1. 100% is only what is complete.
export const percent = (part: number): string => `${Math.floor(Math.min(1, part) * 100)}%`;

// isolated returns a name as it stands in a sentence: with a direction of its own, so that it does not
// turn the words around. quoted has marks around it.
const isolated = (name: string): string => `\u2068${name}\u2069`;
const quoted = (name: string): string => `“${isolated(name)}”`;

const kinds: Record<string, string> = {
  folder: 'Folder', image: 'Image', audio: 'Audio', video: 'Video', pdf: 'PDF', text: 'Text', code: 'Code', document: 'Document', sheet: 'Spreadsheet', slides: 'Slides', archive: 'Archive', file: 'File',
};

export const text = {
  home: 'Files',
  folders: 'Folders',
  upload: 'Upload',
  uploadFiles: 'Upload files',
  uploadFolder: 'Upload a folder',
  newFolder: 'New folder',
  filter: 'Filter this folder', filterShort: 'Filter',
  clearFilter: 'Clear the filter',
  search: 'Search subfolders',
  searchStop: 'Stop search',
  searching: (term: string, found: number) => `Searching for ${quoted(term)}: ${counted(found, 'result', 'results')} so far`,
  searched: (term: string, found: number) => `${counted(found, 'result', 'results')} for ${quoted(term)}`,
  searchCut: 'The search left out folders that are too large.',
  list: 'List', grid: 'Grid',
  sort: 'Sort by', name: 'Name', size: 'Size', time: 'Modified', kind: 'Kind',
  more: 'More', actions: 'Actions', noActions: 'There is nothing you may do here.', actionsFor: (name: string) => `Actions for ${name}`, hidden: 'Show hidden files', downloadFolder: 'Download this folder as ZIP', mount: 'Connect to this folder', operations: 'All operations', plain: 'Plain list',
  select: (name: string) => `Select ${name}`,
  selected: (n: number) => `${number.format(n)} selected`, count: (n: number) => number.format(n), selectedWord: 'selected',
  selectAll: 'Select all', clear: 'Clear selection',
  download: 'Download', rename: 'Rename', move: 'Move', copy: 'Copy', remove: 'Delete',
  cancel: 'Cancel', close: 'Close', create: 'Create', save: 'Save', ok: 'OK', retry: 'Try again',
  summary: (folders: number, files: number, bytes: number) =>
    [folders && counted(folders, 'folder', 'folders'), files && counted(files, 'file', 'files'), files && size(bytes)].filter(Boolean).join(', ') || 'Empty',
  loading: (n: number) => `Loading… ${n ? number.format(n) : ''}`,
  empty: 'This folder is empty.', emptyHint: 'Drop files here, or use Upload.', nothing: (term: string) => `Nothing found for ${quoted(term)}`, noneShown: 'Nothing found',
  dropHere: 'Drop to upload to this folder',
  kindOf: (kind: string) => kinds[kind] ?? kind,
  folderName: 'Name of the folder', newName: (name: string) => `New name for ${isolated(name)}`,
  nameTaken: 'Something with this name exists here already.', nameInvalid: 'A name can’t be empty, “.” or “..”, or contain a slash.',
  deleteTitle: (names: string[]) => names.length === 1 ? `Delete ${quoted(names[0]!)}?` : `Delete ${number.format(names.length)} items?`,
  deleteHint: 'This can’t be undone.', deleteFolders: 'This can’t be undone. Folders are deleted with everything in them.', andMore: (n: number) => `and ${number.format(n)} more`,
  chooseMove: (n: number) => `Move ${counted(n, 'item', 'items')} to…`, chooseCopy: (n: number) => `Copy ${counted(n, 'item', 'items')} to…`,
  notHere: 'You can’t add anything to this folder.', moveHere: 'Move here', copyHere: 'Copy here', noFolders: 'No folders here.', up: 'Up',
  conflictTitle: (name: string) => `${quoted(name)} exists already`,
  conflictHint: 'Which one do you want to keep?', existing: 'In this folder', incoming: 'Yours', newer: 'newer', replace: 'Replace', keepBoth: 'Keep both', skip: 'Skip', applyToAll: 'Do the same for all others',
  lockedBy: (owner: string, until: string) => `Locked${owner ? ` by ${isolated(owner)}` : ''}${until ? ` until ${until}` : ''}`,
  activity: 'Activity', activityHide: 'Hide activity', clearDone: 'Clear finished',
  uploads: (done: number, total: number) => total === 1 ? 'Uploading 1 file' : `Uploading: ${number.format(done)} of ${number.format(total)} files done`,
  uploaded: (total: number, failed: number) => failed ? `${counted(failed, 'file', 'files')} of ${number.format(total)} failed` : `Uploaded ${counted(total, 'file', 'files')}`,
  rate: (bytes: number) => `${size(bytes)}/s`, left: (seconds: number) => `about ${duration(seconds)} left`, ofSize: (done: number, all: number) => `${size(done)} of ${size(all)}`,
  pause: 'Pause', resume: 'Resume', paused: 'Paused', waiting: 'Waiting', done: 'Done', skipped: 'Skipped',
  stop: 'Stop', stopRollBack: 'Stop and roll back', stopping: 'Stopping…', counting: 'Counting…', forget: 'Dismiss', details: 'Details',
  verbs: { COPY: 'Copying', MOVE: 'Moving', DELETE: 'Deleting' } as Record<string, string>,
  doneVerbs: { COPY: 'Copied', MOVE: 'Moved', DELETE: 'Deleted' } as Record<string, string>,
  to: (destination: string) => ` to ${destination}`,
  members: (done: number, total: number | null) => total ? `${number.format(done)} of ${counted(total, 'item', 'items')}` : counted(done, 'item', 'items'),
  stopped: (s: { stoppedBy?: string; principal?: string; reason?: string; rollsBack: boolean; method: string }) => {
    const by: Record<string, string> = {
      you: 'Stopped by you.', owner: `Stopped by ${isolated(s.principal ?? '')}.`, administrator: 'Stopped by an administrator.', client: 'Stopped on request.',
      nobody: s.reason ? `Stopped: ${s.reason}.` : 'Stopped.',
    };
    const left = s.rollsBack ? 'Nothing changed.' : s.method === 'DELETE' ? 'What was deleted before is gone.' : 'A part may have been done.';
    return `${by[s.stoppedBy ?? 'nobody']} ${left}`;
  },
  interrupted: 'The server stopped before the end.', failedStatus: (status: number) => `Failed: ${reason(status)}`, failures: (n: number) => `${counted(n, 'item', 'items')} failed`,
  mountHint: 'Give this address to any WebDAV client, or run one of these commands.', address: 'Address', copied: (what: string) => `Copied ${what}`, copyIt: (what: string) => `Copy ${what}`,
  today: 'Today', yesterday: 'Yesterday',
  previous: 'Previous', next: 'Next', zoom: 'Zoom', viewCut: 'Only the beginning is shown.', cantShow: 'This file can’t be shown here.', open: 'Open',
  createdFolder: (name: string) => `Created ${isolated(name)}`, deletedItems: (n: number) => `Deleted ${counted(n, 'item', 'items')}`, movedItems: (n: number) => `Moved ${counted(n, 'item', 'items')}`, copiedItems: (n: number) => `Copied ${counted(n, 'item', 'items')}`,
  interruptedUpload: 'Interrupted upload of', continueUpload: 'Continue', discardUpload: 'Discard', chooseAgain: 'Choose the file again to continue.', otherFile: 'This is another file: its size or its time differs.',
  offline: 'The server can’t be reached. The page tries again.',
};

// reason explains an HTTP status.
export const reason = (status: number): string => ({
  0: 'the connection was lost', 401: 'you are not signed in', 403: 'you may not do this', 404: 'it is no longer there', 409: 'the folder is no longer there', 412: 'it has changed meanwhile',
  413: 'it is too large', 423: 'it is locked', 429: 'too many requests', 502: 'the server behind the proxy can’t be reached', 503: 'the server is busy', 507: 'there is no room left',
} as Record<number, string>)[status] ?? `the server answered ${status}`;
